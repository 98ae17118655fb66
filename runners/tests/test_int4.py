"""PyTorch's int4: exactly the canonical weights, and the kernel's answer for them."""

from __future__ import annotations

import json
from pathlib import Path

import nano
import numpy as np
import pytest
import torch
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize
from ortbench_runners.commands import Prepare
from ortbench_runners.errors import RunnerError
from ortbench_runners.int4 import Int4Linear, to_grid
from ortbench_runners.pytorch import PytorchRunner
from safetensors.torch import load_file, save_file


def on_grid(rows: int, columns: int) -> torch.Tensor:
    values = np.random.default_rng(rows).standard_normal((rows, columns), dtype=np.float32)
    kind = GGMLQuantizationType.Q4_0
    return torch.from_numpy(dequantize(quantize(values, kind), kind))


def save_int4(folder: Path) -> Path:
    """A checkpoint as `prepare` leaves it: quantised matrices on the grid, and named."""
    nano.save(folder, nano.LLAMA)
    weights = load_file(folder / "model.safetensors")
    matrices = sorted(name for name in weights if name.endswith("_proj.weight") or name == "lm_head.weight")
    kind = GGMLQuantizationType.Q4_0
    for name in matrices:
        weights[name] = torch.from_numpy(dequantize(quantize(weights[name].numpy(), kind), kind))
    save_file(weights, folder / "model.safetensors", metadata={"format": "pt"})
    (folder / "ortbench.json").write_text(json.dumps({"quantisation": {"matrices": matrices}}))
    return folder


@pytest.mark.parametrize("shape", [(16, 32), (64, 96), (50, 128)])
def test_integers_and_scales_give_the_same_weights_bit_for_bit(shape: tuple[int, int]) -> None:
    weight = on_grid(*shape)
    weight[3, 32:64] = 0
    integers, scale = to_grid(weight)
    assert integers.min() >= 0 and integers.max() <= 15
    again = (integers.reshape(shape[0], -1, 32) - 8) * scale[..., None]
    assert torch.equal(again.reshape(shape), weight)


def test_weights_off_the_grid_are_refused() -> None:
    weight = on_grid(16, 64)
    weight[5, 7] += 0.001
    with pytest.raises(RunnerError, match="not on the Q4_0 grid"):
        to_grid(weight)
    with pytest.raises(RunnerError, match="multiple of 32"):
        to_grid(torch.zeros(16, 40))


@pytest.mark.parametrize("shape", [(16, 32), (50, 128), (96, 1024)])
def test_the_packed_form_holds_these_integers_and_no_others(shape: tuple[int, int]) -> None:
    weight = on_grid(*shape)
    integers, scale = to_grid(weight)
    layer = Int4Linear(weight, None)
    assert layer.holds(integers)
    assert torch.equal(layer.scales(), scale.to(torch.bfloat16).float())
    one_off, exchanged = integers.clone(), integers.clone()
    one_off[7, 5] ^= 1
    exchanged[[1, 2]] = exchanged[[2, 1]]
    assert not layer.holds(one_off)
    assert not layer.holds(exchanged)


@pytest.mark.parametrize("rows", [16, 50])
def test_the_kernel_multiplies_by_these_weights(rows: int) -> None:
    weight = on_grid(rows, 64)
    weight[3, 32:64] = 0
    bias = torch.arange(rows, dtype=torch.float32)
    layer = Int4Linear(weight, bias)
    # bf16 keeps 8 bits of a scale.
    assert 0 < layer.largest_scale_change < 2**-8
    inputs = torch.randn(2, 3, 64, generator=torch.Generator().manual_seed(1)).to(torch.bfloat16)
    expected = inputs.float() @ weight.T + bias
    output = layer(inputs)
    assert output.shape == (2, 3, rows) and output.dtype == torch.bfloat16
    assert torch.equal(layer(inputs[:, -1:]), output[:, -1:]), "a slice is as good as a tensor of its own"
    assert (output.float() - expected).abs().max() < 0.02 * expected.abs().max()


def test_an_int4_model_is_near_the_same_weights_in_fp32(tmp_path: Path) -> None:
    folder = save_int4(tmp_path / "model")
    session, loaded = PytorchRunner("eager").load(nano.load_command(folder, "int4"))
    effective = loaded["effective"]
    assert (effective["weights"], effective["headType"], effective["int4Matrices"]) == ("int4", "int4", 15)
    seen = session.prepare(Prepare(batchSize=2, promptLength=7, generate=4))["effective"]
    assert seen["activations"] == "bf16"
    for phase in ("matmulPrefill", "matmulDecode"):
        assert seen[phase].startswith("aten::_weight_int4pack_mm_for_cpu ×15; no call of MKL or oneDNN")
    continuation = [[9, 8, 7], [6, 5, 4]]
    logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
    expected = nano.reference_logits(folder, nano.PROMPTS, continuation)
    error = (logits - expected).square().mean().sqrt() / expected.std()
    assert error < 0.05
    assert {parameter.dtype for parameter in session._decoder.model.parameters()} == {torch.bfloat16}


def test_a_matrix_that_is_no_linear_layer_is_refused(tmp_path: Path) -> None:
    folder = save_int4(tmp_path)
    (folder / "ortbench.json").write_text(json.dumps({"quantisation": {"matrices": ["model.embed_tokens.weight"]}}))
    with pytest.raises(RunnerError, match="no linear layer"):
        PytorchRunner("eager").load(nano.load_command(folder, "int4"))
