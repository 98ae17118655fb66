"""PyTorch on a CUDA device: the CPU's tokens, logits on the host when the clock stops, CUDA graphs where a mode asks.

Needs a GPU, PyTorch, transformers and pytest, and nothing else of ortbench: on a machine that has only those,
`PYTHONPATH=runners python3 -m pytest runners/tests/test_cuda.py -s` runs it. Elsewhere all of it is skipped.
"""

from __future__ import annotations

from pathlib import Path

import nano
import pytest
import torch
from ortbench_runners.commands import Generate, Load, Prepare
from ortbench_runners.pytorch import PytorchRunner
from ortbench_runners.session import DecodeSession

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

MODES = ["eager", "compile"]
SHAPE = Prepare(batchSize=2, promptLength=len(nano.PROMPTS[0]), generate=nano.STEPS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nano.save(tmp_path_factory.mktemp("llama"), nano.LLAMA)


def on_cuda(folder: Path, precision: str = "fp32", mode: str = "eager", **options: object):
    command = nano.load_command(folder, precision, **options)
    return PytorchRunner(mode).load(Load(**(command.__dict__ | {"device": "cuda"})))


@pytest.mark.parametrize("mode", MODES)
def test_tokens_are_those_of_the_cpu(folder: Path, mode: str) -> None:
    session, loaded = on_cuda(folder, mode=mode)
    print(loaded["effective"])
    session.prepare(SHAPE)
    expected = nano.reference_tokens(folder, nano.PROMPTS)
    for _ in range(3):
        result = nano.generate(session, nano.PROMPTS)
        assert result["recompiles"] == 0
        assert result["tokens"] == expected
    assert nano.generate(session, nano.RAGGED)["tokens"] == nano.reference_tokens(folder, nano.RAGGED)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "bf16"])
@pytest.mark.parametrize("mode", MODES)
def test_teacher_forced_logits_are_near(folder: Path, tmp_path: Path, mode: str, precision: str) -> None:
    session, _ = on_cuda(folder, precision, mode)
    continuation = [[9, 8, 7], [6, 5, 4]]
    logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
    expected = nano.reference_logits(folder, nano.PROMPTS, continuation)
    error = (logits - expected).pow(2).mean().sqrt() / expected.std()
    print(mode, precision, f"normalised error {float(error):.2e}")
    assert float(error) < {"fp32": 2e-4, "fp16": 3e-2, "bf16": 1.1e-1}[precision]


@pytest.mark.parametrize("mode", MODES)
def test_logits_lie_on_the_host_and_the_device_is_idle_when_the_clock_stops(folder: Path, mode: str) -> None:
    session, _ = on_cuda(folder, mode=mode)
    session.prepare(SHAPE)
    decoder = session._decoder
    decoder.begin(nano.PROMPTS, nano.CAPACITY)
    logits = decoder.prefill()
    decoder.synchronise()
    assert logits.device.type == "cpu"
    assert torch.cuda.current_stream().query(), "work is left after the clock stopped"


def test_a_large_model_takes_its_time(tmp_path: Path) -> None:
    """Work that a GPU needs milliseconds for must be in the phases, not after them."""
    config = nano.LLAMA.__class__(**(nano.LLAMA.to_dict() | {"hidden_size": 2048, "intermediate_size": 8192}))
    folder = nano.save(tmp_path / "wide", config)
    session, _ = on_cuda(folder, "fp16")
    prompts = [list(range(100))] * 8
    result = session.generate(Generate(prompts=prompts, generate=4, capacity=128, measurePeakMemory=True))
    assert sum(result["selectNs"]) < result["prefillNs"] + sum(result["stepNs"])
    assert result["peakDeviceBytes"] > 1e8


def test_reduce_overhead_replays_cuda_graphs(folder: Path) -> None:
    session: DecodeSession
    session, loaded = on_cuda(folder, mode="compile")
    assert loaded["effective"]["cudaGraphs"] == "decode"
    effective = session.prepare(SHAPE)["effective"]
    assert effective["cudaGraphsSkipped"] == 0
