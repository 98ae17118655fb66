"""PyTorch's int4 on the CPU, with exactly the quantised weights of the canonical checkpoint.

torchao's own quantiser would choose other scales; here the integers and scales are recovered from values that lie on
the Q4_0 grid already (blocks of 32 along the input, symmetric, scale = max/-8) and packed for the kernel as they are.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from .errors import RunnerError

GROUP_SIZE = 32
# The packed layout of the kernel holds whole groups of 16 output rows.
ROW_MULTIPLE = 16
# The one activation type with fast kernels: fp32 and fp16 take a reference path that is 20 to 50 times slower.
ACTIVATIONS = torch.bfloat16


def to_grid(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """fp32[out, in] on the grid → integers int32[out, in] of 0..15 and scales fp32[out, in/32]: w = (q - 8)·scale.

    Raises RunnerError where the values are not on the grid.
    """
    rows, columns = weight.shape
    if columns % GROUP_SIZE:
        raise RunnerError("unsupported", f"int4 needs rows of a multiple of {GROUP_SIZE} values, not {columns}")
    blocks = weight.reshape(rows, columns // GROUP_SIZE, GROUP_SIZE)
    # The value of largest magnitude is -8 scales by definition.
    extreme = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
    scale = extreme / -8
    quotient = torch.where(scale == 0, torch.zeros_like(blocks), blocks / scale)
    integers = (quotient.round() + 8).clamp(0, 15)
    if not torch.equal((integers - 8) * scale, blocks):
        raise RunnerError("failed", "the int4 checkpoint is not on the Q4_0 grid: its weights would be changed")
    return integers.to(torch.int32).reshape(rows, columns), scale.squeeze(-1)


def pack(weight: torch.Tensor) -> tuple[torch.Tensor, float]:
    """The weight as the kernel takes it, and the largest relative change that rounding scales to bf16 makes."""
    from torchao.prototype.quantization.int4 import Int4OpaqueTensor

    integers, scale = to_grid(weight)
    rounded = scale.to(ACTIVATIONS)
    change = ((rounded.float() - scale).abs() / scale.abs().clamp_min(torch.finfo(torch.float32).tiny)).max().item()
    padding = -integers.shape[0] % ROW_MULTIPLE
    # The kernel adds its zero point to (q - 8)·scale: symmetric blocks have none.
    scale_and_zero = torch.stack([rounded, torch.zeros_like(rounded)], dim=-1)
    packed = Int4OpaqueTensor(
        qdata=torch.ops.aten._convert_weight_to_int4pack_for_cpu(
            torch.nn.functional.pad(integers, (0, 0, 0, padding), value=8), 1
        ),
        scale_and_zero=torch.nn.functional.pad(scale_and_zero, (0, 0, 0, 0, 0, padding))
        .transpose(0, 1)
        .contiguous(),
        block_size=[1, GROUP_SIZE],
        shape=weight.shape,
    )
    return packed, change


def quantise_model(model: torch.nn.Module, folder: Path) -> dict[str, Any]:
    """Packs the matrices that the checkpoint names as quantised, in place; everything else becomes bf16."""
    named = _quantised_matrices(folder)
    linear = {f"{name}.weight": module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    missing = named - linear.keys()
    if missing:
        raise RunnerError("unsupported", f"PyTorch has no int4 path for {sorted(missing)[0]}, which is no linear layer")
    largest = 0.0
    with torch.inference_mode(False), torch.no_grad():
        for name in sorted(named):
            packed, change = pack(linear[name].weight.detach().float())
            linear[name].weight = torch.nn.Parameter(packed, requires_grad=False)
            largest = max(largest, change)
        packed_ids = {id(linear[name].weight) for name in named}
        for parameter in model.parameters():
            if id(parameter) not in packed_ids:
                parameter.data = parameter.data.to(ACTIVATIONS)
    return {
        "weights": "int4",
        "activations": "bf16",
        "quantisation": "symmetric, zero point 0, scales rounded to bf16",
        "groupSize": GROUP_SIZE,
        "int4Matrices": len(named),
        "otherWeights": "bf16",
        "matmul": "aten::_weight_int4pack_mm_for_cpu",
        "largestRelativeScaleChange": largest,
        "cpuCapability": torch.backends.cpu.get_cpu_capability(),
    }


def _quantised_matrices(folder: Path) -> set[str]:
    try:
        described = json.loads((folder / "ortbench.json").read_text())
        return set(described["quantisation"]["matrices"])
    except (OSError, ValueError, KeyError, TypeError):
        raise RunnerError("failed", f"{folder} does not say which of its matrices are int4; prepare it again") from None
