"""PyTorch eager against transformers' own generate() and an uncached forward."""

from __future__ import annotations

import json
import re
from pathlib import Path

import nano
import pytest
import torch
from ortbench_runners.commands import Load, Prepare
from ortbench_runners.errors import RunnerError
from ortbench_runners.pytorch import PytorchRunner
from ortbench_runners.session import DecodeSession
from ortbench_runners.torch_decoder import TorchDecoder, left_pad


@pytest.fixture(scope="module", params=["llama", "phi", "mistral", "gemma"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    config = {"llama": nano.LLAMA, "phi": nano.PHI, "mistral": nano.MISTRAL, "gemma": nano.GEMMA}[request.param]
    return nano.save(tmp_path_factory.mktemp(request.param), config)


@pytest.fixture(scope="module")
def session(folder: Path) -> DecodeSession:
    return PytorchRunner("eager").load(nano.load_command(folder))[0]


def test_tokens_are_those_of_generate(folder: Path, session: DecodeSession) -> None:
    expected = nano.reference_tokens(folder, nano.PROMPTS)
    assert nano.generate(session, nano.PROMPTS)["tokens"] == expected
    assert len({token for row in expected for token in row}) > 4
    assert nano.generate(session, nano.PROMPTS)["tokens"] == expected, "a second run starts from an empty cache"


def test_each_sequence_of_a_ragged_batch_is_answered_as_alone(folder: Path, session: DecodeSession) -> None:
    assert nano.generate(session, nano.RAGGED)["tokens"] == nano.reference_tokens(folder, nano.RAGGED)


def test_teacher_forced_logits_are_those_of_an_uncached_forward(
    folder: Path, session: DecodeSession, tmp_path: Path
) -> None:
    continuation = [[9, 8, 7], [6, 5, 4]]
    logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
    expected = nano.reference_logits(folder, nano.PROMPTS, continuation)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("precision", ["fp16", "bf16"])
def test_half_precisions_stay_half(folder: Path, precision: str) -> None:
    session, loaded = PytorchRunner("eager").load(nano.load_command(folder, precision))
    dtype = {"fp16": torch.float16, "bf16": torch.bfloat16}[precision]
    decoder = session._decoder
    assert {parameter.dtype for parameter in decoder.model.parameters()} == {dtype}
    decoder.begin(nano.PROMPTS, nano.CAPACITY)
    assert decoder.prefill().dtype == dtype
    assert decoder._cache.layers[0].keys.dtype == dtype
    effective = session.prepare(Prepare(batchSize=2, promptLength=7, generate=4))["effective"]
    assert (loaded["effective"]["weights"], effective["activations"]) == (precision, precision)
    assert effective["matmulDecode"].startswith("aten::")


def test_what_is_effective_is_said(folder: Path) -> None:
    _, loaded = PytorchRunner("eager").load(nano.load_command(folder))
    assert loaded["vocabSize"] == nano.VOCAB and loaded["loadNs"] > 0
    assert loaded["versions"]["torch"] == torch.__version__
    effective = loaded["effective"]
    assert (effective["threads"], effective["attention"], effective["compileMode"]) == (1, "sdpa", "none")
    assert (effective["embeddingType"], effective["headType"]) == ("fp32", "fp32")
    windowed = json.loads((folder / "config.json").read_text())["model_type"] == "mistral"
    assert effective["slidingWindow"] == (nano.MISTRAL.sliding_window if windowed else "none")
    assert ("cut to the window" in effective["kvCache"]) == windowed


def changed(command: Load, **fields: object) -> Load:
    return Load(**(command.__dict__ | fields))


def test_what_cannot_be_loaded(folder: Path, tmp_path: Path) -> None:
    eager = PytorchRunner("eager")
    with pytest.raises(RunnerError, match="no config.json"):
        eager.load(nano.load_command(tmp_path))
    (tmp_path / "config.json").write_text((folder / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickled")
    with pytest.raises(RunnerError, match="never loaded"):
        eager.load(nano.load_command(tmp_path))
    with pytest.raises(RunnerError, match="no option 'mode'"):
        eager.load(nano.load_command(folder, mode="default"))
    with pytest.raises(RunnerError, match="which of its matrices are int4"):
        eager.load(nano.load_command(folder, "int4"))
    with pytest.raises(RunnerError) as caught:
        eager.load(changed(nano.load_command(folder), device="webgpu"))
    assert caught.value.code == "unavailable"


def test_the_lowest_id_wins_a_tie() -> None:
    logits = torch.tensor([[0.0, 2.0, 2.0], [1.0, 1.0, 1.0]], dtype=torch.bfloat16)
    ids = TorchDecoder.select(None, logits)
    assert ids.tolist() == [[1], [0]]


def test_padding_is_on_the_left() -> None:
    ids, padding = left_pad([[1, 2, 3], [4]])
    assert ids.tolist() == [[1, 2, 3], [0, 0, 4]]
    assert padding.tolist() == [0, 2]


def test_kernels_are_read_from_a_prompt_and_a_step(folder: Path) -> None:
    session, loaded = PytorchRunner("eager").load(nano.load_command(folder))
    linear = sum(isinstance(module, torch.nn.Linear) for module in session._decoder.model.modules())
    effective = session.prepare(Prepare(batchSize=2, promptLength=7, generate=4))["effective"]
    for phase in ("matmulPrefill", "matmulDecode"):
        operators, library = effective[phase].split("; ")
        assert sum(int(count) for count in re.findall(r"×(\d+)", operators)) == linear
        if torch.backends.mkl.is_available():
            assert re.fullmatch(r"MKL SGEM[MV]\w* ×\d+(, MKL .*)?", library)
    assert re.fullmatch(r"aten::_scaled_dot_product_flash_attention_for_cpu ×4", effective["attentionKernels"])
    assert effective["kernelsSeenAt"] == "batch 2, prompt 7"
    assert session.prepare(Prepare(batchSize=1, promptLength=3, generate=4))["effective"]["kernelsSeenAt"] == (
        "batch 2, prompt 7"
    )
    assert nano.generate(session, nano.PROMPTS)["tokens"] == nano.reference_tokens(folder, nano.PROMPTS)
