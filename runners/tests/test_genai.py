"""onnxruntime-genai taken apart into the phases: the tokens of PyTorch, whatever the end-of-sequence token is."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nano
import prepare_models as models
import pytest
import torch
from ortbench_runners.commands import Load, Prepare
from ortbench_runners.errors import RunnerError
from ortbench_runners.genai import GenaiRunner, activations, end_of_sequence
from ortbench_runners.prepare.onnx_export import make_onnx
from ortbench_runners.session import DecodeSession


@pytest.fixture(scope="module")
def artefacts(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    base = tmp_path_factory.mktemp("genai")
    models.make_checkpoint(base / "checkpoint", models.seeded(models.LLAMA), "fp32")
    request = {"checkpoint": str(base / "checkpoint"), "precision": "fp32", "device": "cpu", "out": str(base / "onnx")}
    make_onnx(request)
    return base / "checkpoint", base / "onnx"


@pytest.fixture(scope="module")
def session(artefacts: tuple[Path, Path]) -> DecodeSession:
    return GenaiRunner().load(nano.load_command(artefacts[1]))[0]


def test_tokens_are_those_of_transformers(artefacts: tuple[Path, Path], session: DecodeSession) -> None:
    expected = nano.reference_tokens(artefacts[0], nano.PROMPTS)
    for _ in range(2):
        result = nano.generate(session, nano.PROMPTS)
        assert result["tokens"] == expected
        assert len(result["stepNs"]) == nano.STEPS - 1
    alone = [nano.generate(session, [prompt])["tokens"][0] for prompt in nano.PROMPTS]
    assert alone == expected


def test_the_end_of_a_sequence_is_ignored(artefacts: tuple[Path, Path], tmp_path: Path) -> None:
    expected = nano.reference_tokens(artefacts[0], nano.PROMPTS)
    folder = tmp_path / "genai"
    folder.mkdir()
    for file in (artefacts[1] / "genai").iterdir():
        if file.name != "genai_config.json":
            shutil.copyfile(file, folder / file.name)
    config = json.loads((artefacts[1] / "genai" / "genai_config.json").read_text())
    for named in (expected[0][2], [expected[0][2], expected[1][0]], []):
        config["model"]["eos_token_id"] = named
        (folder / "genai_config.json").write_text(json.dumps(config))
        session, _ = GenaiRunner().load(nano.load_command(tmp_path))
        assert nano.generate(session, nano.PROMPTS)["tokens"] == expected
        assert nano.generate(session, nano.PROMPTS[:1])["tokens"] == expected[:1]


def test_a_prompt_may_end_with_any_token(artefacts: tuple[Path, Path], session: DecodeSession) -> None:
    end = end_of_sequence(session._decoder.vocab_size)
    prompts = [[5, 6, end], [7, 8, 2], [9, 0, 0]]
    assert nano.generate(session, prompts)["tokens"] == nano.reference_tokens(artefacts[0], prompts)


def test_a_sequence_that_can_only_be_padded_is_refused(session: DecodeSession) -> None:
    decoder = session._decoder
    end = end_of_sequence(decoder.vocab_size)
    decoder.begin(nano.PROMPTS, nano.CAPACITY)
    logits = decoder.prefill()
    logits[0, end] = logits.max() + 1
    decoder._generator.set_logits(logits[:, None])
    assert decoder.token_ids(decoder.select(logits))[0] == end
    with pytest.raises(RunnerError, match=f"chose token {end}, after which onnxruntime-genai only pads"):
        logits = decoder.decode_one_token(decoder._selected)
        decoder.chosen_logits(logits, decoder.select(logits))


def test_teacher_forced_logits_are_those_of_transformers(
    artefacts: tuple[Path, Path], session: DecodeSession, tmp_path: Path
) -> None:
    end = end_of_sequence(session._decoder.vocab_size)
    # What comes after a token that ends or pads a row, by genai or by the model's own configuration, is forced as well.
    for continuation in [[9, 8, 7], [6, 5, 4]], [[end, 8, 7, 3], [6, end, end, 4]], [[0, 1, 2, 3, 4], [2, 2, 1, 0, 9]]:
        logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
        expected = nano.reference_logits(artefacts[0], nano.PROMPTS, continuation)
        torch.testing.assert_close(logits, expected, rtol=1e-3, atol=1e-3)


def test_only_the_last_position_is_computed(session: DecodeSession) -> None:
    prepared = session.prepare(Prepare(batchSize=2, promptLength=7, generate=4))
    assert prepared == {"compileNs": 0, "effective": {"garbageCollection": "off while timing", "logitsScope": "last position"}}


def test_what_it_cannot_do_is_said(artefacts: tuple[Path, Path], session: DecodeSession, tmp_path: Path) -> None:
    with pytest.raises(RunnerError, match="no padding before a prompt"):
        nano.generate(session, nano.RAGGED)
    with pytest.raises(RunnerError) as caught:
        GenaiRunner().load(nano.load_command(artefacts[1], "bf16"))
    assert caught.value.code == "unsupported"
    with pytest.raises(RunnerError, match="genai_config.json"):
        GenaiRunner().load(nano.load_command(tmp_path))


def test_what_the_graph_stores_is_said(artefacts: tuple[Path, Path]) -> None:
    effective = GenaiRunner().load(nano.load_command(artefacts[1]))[1]["effective"]
    assert (effective["embeddingType"], effective["headType"], effective["slidingWindow"]) == ("float", "float", "none")


def test_activations_of_int4_follow_the_accuracy_level(tmp_path: Path) -> None:
    describe = tmp_path / "ortbench.json"
    describe.write_text(json.dumps({"quantisation": {"accuracyLevel": 4}}))
    assert activations(tmp_path, "int4", "cpu").startswith("int8")
    describe.write_text(json.dumps({"quantisation": {"accuracyLevel": 1}}))
    assert activations(tmp_path, "int4", "cpu").startswith("fp32")


def test_a_device_takes_the_precisions_of_its_provider(tmp_path: Path) -> None:
    assert activations(tmp_path, "int4", "cuda") == "fp16"
    assert activations(tmp_path, "bf16", "cuda") == "bf16"
    for device, precision, reason in [
        ("webgpu", "fp16", "no webgpu provider"),
        ("cuda", "fp32", "on cuda in fp16, bf16, int4 only"),
        ("cpu", "fp16", "on cpu in fp32, int4 only"),
    ]:
        command = nano.load_command(tmp_path, precision)
        with pytest.raises(RunnerError, match=reason):
            GenaiRunner().load(Load(**(command.__dict__ | {"device": device})))
