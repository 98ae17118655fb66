"""What the machine reaches at best: the counting of bytes and operations, and that the best of many is taken."""

from __future__ import annotations

import json

import ortbench_runners.roofline as roofline
import pytest


def test_the_shortest_of_many_calls_counts_and_the_first_does_not(monkeypatch: pytest.MonkeyPatch) -> None:
    durations = iter([1, 50, 20, 30])
    now = 0

    def kernel() -> None:
        nonlocal now
        now += next(durations)

    monkeypatch.setattr(roofline, "perf_counter_ns", lambda: now)
    assert roofline.best_ns(kernel, repeats=3, least_ns=0) == 20


def test_a_kernel_is_repeated_until_it_took_long_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    now = calls = 0

    def kernel() -> None:
        nonlocal now, calls
        now += 10
        calls += 1

    monkeypatch.setattr(roofline, "perf_counter_ns", lambda: now)
    assert roofline.best_ns(kernel, repeats=1, least_ns=95) == 10
    assert calls == 1 + 10


def test_working_sets_double_up_to_the_largest() -> None:
    assert roofline.working_sets(3 * roofline.MIB) == [roofline.MIB // 2, roofline.MIB, 2 * roofline.MIB]


def test_kernels_count_the_bytes_that_they_touch() -> None:
    size = 12 * 1000
    read, triad = roofline.bandwidth_kernels(size).values()
    assert read[0] == triad[0] == size
    assert float(read[1]()) == size / 4
    assert triad[1]().tolist() == [4.0] * 1000


def test_a_slower_pass_spoils_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    times = iter([100, 400, 50, 800, 200, 400])
    monkeypatch.setattr(roofline, "best_ns", lambda kernel: next(times))
    (point,) = roofline.measure_bandwidth([1200])
    assert point["workingSetBytes"] == 1200
    assert point["bytesPerSecond"] == 1200 * 1e9 / 50


@pytest.mark.parametrize("element", ["fp32", "int8"])
def test_onnx_runtime_multiplies(element: str) -> None:
    (product,) = roofline.onnxruntime_product(element, 32, threads=1)()
    assert product.shape == (32, 32)


def test_a_library_without_such_a_product_is_no_roof(capsys: pytest.CaptureFixture[str]) -> None:
    assert not any("onnxruntime" in name for name in roofline.products("bf16", 1))
    assert "no CPU kernel that multiplies bf16" in capsys.readouterr().err


def test_prints_one_line_of_figures(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"SMALLEST_MATRIX": 32, "LARGEST_MATRIX": 32, "MATRIX_NS": 0, "PASSES": 1}.items():
        monkeypatch.setattr(roofline, name, value)
    monkeypatch.setattr("sys.argv", ["roofline", "--threads", "1", "--largest-mib", "1"])
    assert roofline.main() == 0
    figures = json.loads(capsys.readouterr().out)
    assert [point["workingSetBytes"] for point in figures["bandwidth"]] == [2**19, 2**20]
    assert all(point["bytesPerSecond"] > 0 for point in figures["bandwidth"])
    assert set(figures["matrix"]) == {"fp32", "fp16", "bf16", "int8"}
    assert figures["matrix"]["fp32"]["operationsPerSecond"] > 0
    assert figures["versions"].keys() >= {"torch"}
