"""The decode loop: which calls lie inside a timed phase, and the arithmetic of what it returns."""

from __future__ import annotations

import gc
import struct
from pathlib import Path

import ortbench_runners.session as session
import pytest
from fake_engine import VOCAB, FakeClock, FakeDecoder
from ortbench_runners import memory
from ortbench_runners.commands import Generate, Prepare, TeacherForce
from ortbench_runners.errors import RunnerError
from ortbench_runners.session import DecodeSession

PROMPTS = [[0, 1, 2], [5]]


def make(monkeypatch: pytest.MonkeyPatch, **options: object) -> tuple[DecodeSession, FakeDecoder]:
    clock = FakeClock()
    monkeypatch.setattr(session, "perf_counter_ns", clock)
    decoder = FakeDecoder(clock, options)
    return DecodeSession(decoder), decoder


def run(prompts: list[list[int]] = PROMPTS, generate: int = 4, capacity: int = 7, peak: bool = False) -> Generate:
    return Generate(prompts=prompts, generate=generate, capacity=capacity, measurePeakMemory=peak)


def test_phases_hold_the_forward_and_its_synchronisation_only(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, decoder = make(monkeypatch)
    result = decode.generate(run())
    # One clock reading (1000) lies within each phase; begin's 50,000 in none.
    assert result["prefillNs"] == 7_000 + 11 + 1000
    assert result["stepNs"] == [3_000 + 11 + 1000] * 3
    assert result["selectNs"] == [500 + 1000] * 4
    assert result["wallNs"] >= result["prefillNs"] + sum(result["stepNs"]) + sum(result["selectNs"])
    step = ["step", "synchronise", "select"]
    assert decoder.calls == ["begin", "synchronise", "prefill", "synchronise", "select", *step * 3]
    assert decoder.capacity == 7


def test_tokens_are_those_of_each_sequence(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, _ = make(monkeypatch)
    assert decode.generate(run())["tokens"] == [[3, 4, 5, 6], [6, 7, 0, 1]]


def test_a_prefill_alone_has_no_step(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, decoder = make(monkeypatch)
    result = decode.generate(run(generate=1))
    assert result["stepNs"] == [] and len(result["selectNs"]) == 1
    assert result["tokens"] == [[3], [6]]
    assert decoder.capacity == 7


def test_recompilations_of_a_run_are_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, _ = make(monkeypatch, graphs=2)
    assert decode.generate(run())["recompiles"] == 2
    assert decode.generate(run())["recompiles"] == 0


def test_prepare_runs_until_nothing_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, decoder = make(monkeypatch, graphs=2)
    prepared = decode.prepare(Prepare(batchSize=2, promptLength=3, generate=4))
    assert decoder.calls.count("begin") == 2
    assert prepared == {
        "compileNs": 2_000_000,
        "effective": {"garbageCollection": "off while timing", "attention": "scripted"},
    }
    assert decode.prepare(Prepare(batchSize=2, promptLength=3, generate=4))["compileNs"] == 0
    assert decode.generate(run([[1, 2, 3], [4, 5, 6]]))["recompiles"] == 0


def test_prepare_gives_up_on_a_shape_that_never_settles(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, _ = make(monkeypatch, graphs=1, neverSettles=True)
    with pytest.raises(RunnerError, match="still being compiled after 10 runs"):
        decode.prepare(Prepare(batchSize=1, promptLength=1, generate=1))


def test_peak_memory_is_measured_only_when_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, decoder = make(monkeypatch)
    assert decode.generate(run())["peakRssBytes"] is None
    assert "reset" not in decoder.calls
    measured = decode.generate(run(peak=True))
    assert measured["peakDeviceBytes"] == 4096
    if memory.reset_peak():
        assert measured["peakRssBytes"] > 1e6
    monkeypatch.setattr(memory, "reset_peak", lambda: False)
    assert decode.generate(run(peak=True))["peakRssBytes"] is None


def test_the_peak_can_be_set_back() -> None:
    if not memory.reset_peak():
        pytest.skip("this system has no high-water mark that can be set back")
    held = bytearray(64 * 1024 * 1024)
    high = memory.peak_rss_bytes()
    assert high is not None and len(held) > 0
    del held
    assert memory.reset_peak()
    low = memory.peak_rss_bytes()
    assert low is not None and low < high - 32 * 1024 * 1024


def test_garbage_collection_rests_while_timing_and_comes_back(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, decoder = make(monkeypatch)
    seen: list[bool] = []
    monkeypatch.setattr(decoder, "synchronise", lambda: seen.append(gc.isenabled()))
    decode.generate(run())
    assert set(seen) == {False} and gc.isenabled()


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (run(prompts=[]), "at least one token"),
        (run(prompts=[[1], []]), "at least one token"),
        (run(prompts=[[VOCAB]]), "not in the model's vocabulary"),
        (run(capacity=6), "do not fit in a capacity of 6"),
    ],
)
def test_prompts_that_cannot_be_run(monkeypatch: pytest.MonkeyPatch, command: Generate, message: str) -> None:
    decode, decoder = make(monkeypatch)
    with pytest.raises(RunnerError, match=message):
        decode.generate(command)
    assert "prefill" not in decoder.calls


def test_logits_that_are_no_numbers_are_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    decode, _ = make(monkeypatch, fault="nan")
    with pytest.raises(RunnerError, match="not finite"):
        decode.generate(run())


def test_teacher_forcing_feeds_the_continuation(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    decode, decoder = make(monkeypatch)
    file = tmp_path / "logits"
    command = TeacherForce(prompts=[[1], [2]], continuation=[[7, 3], [0, 4]], logitsFile=str(file))
    assert decode.teacher_force(command) == {"steps": 2, "vocabSize": VOCAB}
    values = struct.unpack(f"<{3 * 2 * VOCAB}f", file.read_bytes())
    rows = [values[i : i + VOCAB] for i in range(0, len(values), VOCAB)]
    # [step][sequence]: the fake answers the token after the one that it was fed.
    assert [row.index(1.0) for row in rows] == [2, 3, 0, 1, 4, 5]
    assert "select" not in decoder.calls


@pytest.mark.parametrize("continuation", [[], [[1]], [[1], [1, 2]], [[], []], [[VOCAB], [1]]])
def test_continuations_that_do_not_fit(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, continuation: list[list[int]]
) -> None:
    decode, _ = make(monkeypatch)
    command = TeacherForce(prompts=[[1], [2]], continuation=continuation, logitsFile=str(tmp_path / "logits"))
    with pytest.raises(RunnerError):
        decode.teacher_force(command)
