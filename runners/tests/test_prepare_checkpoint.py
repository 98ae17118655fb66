"""The canonical checkpoint: the same bytes for the same source, int4 on its grid, and clear errors."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import prepare_models as models
import pytest
import torch
from ortbench_runners.prepare.errors import PrepareError
from ortbench_runners.prepare.q4 import on_grid
from safetensors.torch import load_file, save_file


def sha256(folder: Path) -> str:
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


@pytest.fixture(scope="module")
def fp32(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("llama") / "fp32"
    models.make_checkpoint(out, models.seeded(models.LLAMA))
    return out


def test_seeded_weights_are_the_same_bytes_everywhere(fp32: Path) -> None:
    # A change here changes the weights, and with them the tokens, of every run ever made of a seeded model.
    pinned = "ab2516bde2bf24d6dd7f994fc06cdb08cf2c0181e76c24fd73062e10d76219c2"
    assert sha256(fp32) == pinned


def test_another_seed_gives_other_weights(fp32: Path, tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "m", models.seeded(models.LLAMA, seed=2))
    assert sha256(tmp_path / "m") != sha256(fp32)


def test_fewer_layers_are_the_first_layers(fp32: Path, tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "m", models.seeded(models.LLAMA), layers=1)
    whole, cut = load_file(fp32 / "model.safetensors"), load_file(tmp_path / "m" / "model.safetensors")
    assert cut.keys() == {name for name in whole if ".layers.1." not in name}
    assert all(torch.equal(whole[name], value) for name, value in cut.items())
    assert json.loads((tmp_path / "m" / "config.json").read_text())["num_hidden_layers"] == 1


@pytest.mark.parametrize("name", ["llama", "gemma", "mistral"])
def test_greedy_tokens_of_a_seeded_model_vary(name: str, tmp_path: Path) -> None:
    from transformers import AutoModelForCausalLM

    models.make_checkpoint(tmp_path / "m", models.seeded(models.MODELS[name]))
    model = AutoModelForCausalLM.from_pretrained(tmp_path / "m")
    prompts = torch.arange(2 * 16).reshape(2, 16) * 13 % 512
    with torch.no_grad():
        tokens = model.generate(prompts, do_sample=False, max_new_tokens=64, eos_token_id=None, pad_token_id=0)
    for row in tokens[:, 16:].tolist():
        assert len(set(row)) > 24, row


def test_facts_name_what_was_made(tmp_path: Path) -> None:
    facts = models.make_checkpoint(tmp_path / "m", models.seeded(models.PHI), "int4")
    assert facts == json.loads((tmp_path / "m" / "ortbench.json").read_text())
    assert facts["modelType"] == "phi"
    assert len(facts["quantisation"]["matrices"]) == 2 * 6 + 1
    assert not any("embed" in name or "bias" in name for name in facts["quantisation"]["matrices"])


def test_int4_keeps_embeddings_norms_and_biases_and_is_idempotent(fp32: Path, tmp_path: Path) -> None:
    facts = models.make_checkpoint(tmp_path / "m", models.seeded(models.LLAMA), "int4")
    before, after = load_file(fp32 / "model.safetensors"), load_file(tmp_path / "m" / "model.safetensors")
    quantised = set(facts["quantisation"]["matrices"])
    for name, value in after.items():
        assert torch.equal(value, before[name]) == (name not in quantised), name
        if name in quantised:
            assert np.array_equal(on_grid(value.numpy()), value.numpy()), name
            assert (value - before[name]).abs().max() < before[name].abs().max() / 8


@pytest.mark.parametrize("scale", [1e-9, 1e-6, 1.0, 1e4])
def test_the_grid_is_idempotent_at_every_magnitude(scale: float) -> None:
    matrix = np.random.default_rng(1).standard_normal((64, 256)).astype(np.float32) * np.float32(scale)
    matrix[0] = 0
    once = on_grid(matrix)
    assert np.array_equal(on_grid(once), once)


def test_a_tied_head_is_stored_apart_for_int4_alone(tmp_path: Path) -> None:
    source = models.seeded(models.TIED_LLAMA)
    models.make_checkpoint(tmp_path / "fp32", source, "fp32")
    facts = models.make_checkpoint(tmp_path / "int4", source, "int4")
    tied, untied = (load_file(tmp_path / p / "model.safetensors") for p in ("fp32", "int4"))
    assert "lm_head.weight" not in tied
    assert facts["quantisation"]["headUntied"]
    embedding = untied["model.embed_tokens.weight"]
    assert torch.equal(embedding, tied["model.embed_tokens.weight"])
    assert np.array_equal(untied["lm_head.weight"].numpy(), on_grid(embedding.numpy()))
    assert json.loads((tmp_path / "int4" / "config.json").read_text())["tie_word_embeddings"] is False


@pytest.mark.parametrize(("precision", "dtype"), [("fp16", torch.float16), ("bf16", torch.bfloat16)])
def test_half_precisions_are_casts(fp32: Path, tmp_path: Path, precision: str, dtype: torch.dtype) -> None:
    models.make_checkpoint(tmp_path / "m", {"kind": "folder", "path": str(fp32)}, precision)
    before, after = load_file(fp32 / "model.safetensors"), load_file(tmp_path / "m" / "model.safetensors")
    assert all(torch.equal(after[name], before[name].to(dtype)) for name in before)


def test_a_folder_gives_the_same_checkpoint_as_its_source(fp32: Path, tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "m", {"kind": "folder", "path": str(fp32)})
    assert sha256(tmp_path / "m") == sha256(fp32)


def test_large_checkpoints_are_sharded_and_read_again(fp32: Path, tmp_path: Path, monkeypatch) -> None:
    from ortbench_runners.prepare import checkpoint

    monkeypatch.setattr(checkpoint, "SHARD_BYTES", 300_000)
    models.make_checkpoint(tmp_path / "m", models.seeded(models.LLAMA))
    assert (tmp_path / "m" / "model.safetensors.index.json").exists()
    assert len(list((tmp_path / "m").glob("model-*.safetensors"))) > 3
    monkeypatch.undo()
    models.make_checkpoint(tmp_path / "again", {"kind": "folder", "path": str(tmp_path / "m")})
    assert sha256(tmp_path / "again") == sha256(fp32)


def folder(path: Path, config: dict, **files: bytes) -> dict:
    path.mkdir()
    (path / "config.json").write_text(json.dumps(config))
    for name, content in files.items():
        (path / name.replace("__", ".")).write_bytes(content)
    return {"kind": "folder", "path": str(path)}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "holds no safetensors weights"),
        ({"pytorch_model__bin": b"\x80"}, "holds no safetensors weights"),
        ({"model__safetensors": b"garbage"}, "not a readable safetensors file"),
        ({"model__safetensors__index__json": b'{"weight_map": {"a": "../../x.safetensors"}}'}, "outside the folder"),
        ({"model__safetensors__index__json": b'{"weight_map": {"a": "x.safetensors"}}'}, "lacks x.safetensors"),
    ],
)
def test_a_folder_without_usable_weights(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(PrepareError, match=message):
        models.make_checkpoint(tmp_path / "out", folder(tmp_path / "m", models.LLAMA, **files))


def test_pickled_weights_are_named_in_the_hint(tmp_path: Path) -> None:
    with pytest.raises(PrepareError) as caught:
        models.make_checkpoint(tmp_path / "out", folder(tmp_path / "m", models.LLAMA, pytorch_model__bin=b"\x80"))
    assert "pytorch_model.bin is a pickle" in str(caught.value.hint)


@pytest.mark.parametrize(
    ("config", "layers", "message"),
    [
        ({"model_type": "mamba"}, None, '"mamba" is not known'),
        ({"hidden_size": 128}, None, "no model_type"),
        (models.LLAMA, 3, "layers: 3 is more than the 2"),
        (models.LLAMA | {"hidden_act": "gelu"}, None, "silu only"),
        (models.LLAMA | {"num_key_value_heads": 3}, None, "not a multiple of num_key_value_heads"),
        (models.LLAMA | {"quantization_config": {"quant_method": "gptq"}}, None, "quantised already"),
        (models.LLAMA | {"hidden_size": 144, "intermediate_size": 288}, None, "int4 needs rows of a multiple of 32"),
        (models.PHI | {"qk_layernorm": True}, None, "qk_layernorm"),
        (models.MISTRAL | {"hidden_act": "gelu"}, None, "silu only"),
        (models.GEMMA | {"hidden_act": "silu"}, None, "gelu_pytorch_tanh only"),
        (models.GEMMA | {"tie_word_embeddings": False}, None, "one table"),
        (models.GEMMA | {"attention_bias": True}, None, "attention_bias"),
    ],
)
def test_configurations_that_cannot_be_prepared(tmp_path: Path, config: dict, layers: int | None, message: str) -> None:
    with pytest.raises(PrepareError, match=message):
        models.make_checkpoint(tmp_path / "m", models.seeded(config), "int4", layers)


def test_weights_that_do_not_fit_their_config(fp32: Path, tmp_path: Path) -> None:
    source = folder(tmp_path / "m", models.LLAMA | {"intermediate_size": 512})
    (tmp_path / "m" / "model.safetensors").write_bytes((fp32 / "model.safetensors").read_bytes())
    with pytest.raises(PrepareError, match="config.json asks for"):
        models.make_checkpoint(tmp_path / "out", source)


def test_values_that_a_precision_cannot_hold(fp32: Path, tmp_path: Path) -> None:
    source = folder(tmp_path / "m", models.LLAMA)
    weights = load_file(fp32 / "model.safetensors")
    weights["model.norm.weight"][0] = 1e6
    save_file(weights, tmp_path / "m" / "model.safetensors")
    with pytest.raises(PrepareError, match="too large for fp16"):
        models.make_checkpoint(tmp_path / "out", source, "fp16")
    weights["model.norm.weight"][0] = float("nan")
    save_file(weights, tmp_path / "m" / "model.safetensors")
    with pytest.raises(PrepareError, match="not finite"):
        models.make_checkpoint(tmp_path / "out2", source)


def test_hub_facts_must_be_those_of_the_download(fp32: Path) -> None:
    from ortbench_runners.prepare.architecture import make_config
    from ortbench_runners.prepare.checkpoint import expect_planned_config

    config = make_config(models.LLAMA, None)
    source = {"kind": "hub", "id": "a/b", "config": {"model_type": "llama", "hidden_size": 64}}
    with pytest.raises(PrepareError, match="says hidden_size: 64, but a/b has 128"):
        expect_planned_config(source, config)
    expect_planned_config(source | {"config": {"hidden_size": 128, "rope_theta": 500_000.0}}, config)
