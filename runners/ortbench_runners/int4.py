"""PyTorch's int4 on the CPU, with exactly the quantised weights of the canonical checkpoint.

The kernel is the one behind torchao's int4 on the CPU. torchao itself is left out: its quantiser would choose other
scales, and its tensor type costs a dispatch for every matrix in every step. Here integers and scales are recovered from
values that lie on the Q4_0 grid already (blocks of 32 along the input, symmetric, scale = max/-8).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import torch

from .errors import RunnerError
from .torch_observed import NAMES

GROUP_SIZE = 32
# The packed layout of the kernel holds whole groups of 16 output rows.
ROW_MULTIPLE = 16
# The one activation type with fast kernels, with AVX2 as with AVX-512: all others take a reference path that is 17 to 120
# times slower (`npm run bench:int4`).
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


class Int4Linear(torch.nn.Module):
    """A linear layer [.., in] → [.., out] over packed int4 weights, bf16 in and out."""

    def __init__(self, weight: torch.Tensor, bias: torch.Tensor | None) -> None:
        super().__init__()
        self.out_features, self.in_features = weight.shape
        integers, scale = to_grid(weight)
        rounded = scale.to(ACTIVATIONS)
        # What rounding the scales to bf16 changes: all that differs from the canonical weights.
        change = torch.where(scale == 0, 0.0, (rounded.float() - scale) / scale)
        self.largest_scale_change = change.abs().max().item()
        padding = -self.out_features % ROW_MULTIPLE
        self.register_buffer(
            "packed",
            torch.ops.aten._convert_weight_to_int4pack_for_cpu(
                torch.nn.functional.pad(integers, (0, 0, 0, padding), value=8), 1
            ),
        )
        # The kernel adds its zero point to (q - 8)·scale: symmetric blocks have none. [in/32, out, 2]
        pairs = torch.stack([rounded, torch.zeros_like(rounded)], dim=-1)
        pairs = torch.nn.functional.pad(pairs, (0, 0, 0, 0, 0, padding))
        self.register_buffer("scale_and_zero", pairs.transpose(0, 1).contiguous())
        self.bias = None if bias is None else torch.nn.Parameter(bias.to(ACTIVATIONS), requires_grad=False)

    def scales(self) -> torch.Tensor:
        """fp32[out, in/32], as the kernel has them."""
        return self.scale_and_zero[:, : self.out_features, 0].T.float()

    def holds(self, integers: torch.Tensor) -> bool:
        """Whether the packed form is of these integers [out, in] of 0..15, asked of the kernel itself.

        The layout depends on the processor. Products with random vectors tell, exactly: in fp32 the kernel takes its
        reference path, and sums of integers below 2^24 are not rounded.
        """
        largest = max(1, 2**24 // (8 * self.in_features) // 2)
        generator = torch.Generator().manual_seed(self.in_features)
        probes = torch.randint(-largest, largest + 1, (8, self.in_features), generator=generator).float()
        unit = torch.zeros_like(self.scale_and_zero, dtype=torch.float32)
        unit[..., 0] = 1
        products = torch.ops.aten._weight_int4pack_mm_for_cpu(probes, self.packed, GROUP_SIZE, unit)
        return torch.equal(products[:, : self.out_features], probes @ (integers - 8).float().T)

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        rows = inputs.reshape(-1, self.in_features).contiguous()
        output = torch.ops.aten._weight_int4pack_mm_for_cpu(rows, self.packed, GROUP_SIZE, self.scale_and_zero)
        output = output[:, : self.out_features].reshape(*inputs.shape[:-1], self.out_features)
        return output if self.bias is None else output + self.bias


def quantise_model(model: torch.nn.Module, folder: Path) -> dict[str, Any]:
    """Packs the matrices that the checkpoint names as quantised, in place; everything else becomes bf16."""
    named = quantised_matrices(folder)
    linear = {f"{name}.weight": module for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)}
    missing = named - linear.keys()
    if missing:
        raise RunnerError("unsupported", f"PyTorch has no int4 path for {sorted(missing)[0]}, which is no linear layer")
    largest = 0.0
    with torch.no_grad():
        for name in sorted(named):
            layer = Int4Linear(linear[name].weight.float(), linear[name].bias)
            model.set_submodule(name.removesuffix(".weight"), layer)
            largest = max(largest, layer.largest_scale_change)
        for parameter in model.parameters():
            parameter.data = parameter.data.to(ACTIVATIONS)
    return {
        "weights": "int4",
        "quantisation": "symmetric, zero point 0, scales rounded to bf16",
        "groupSize": GROUP_SIZE,
        "int4Matrices": len(named),
        "otherWeights": ", ".join(sorted({NAMES[parameter.dtype] for parameter in model.parameters()})),
        "embeddingType": NAMES[model.get_input_embeddings().weight.dtype],
        "headType": "int4" if isinstance(head := model.get_output_embeddings(), Int4Linear) else NAMES[head.weight.dtype],
        "largestRelativeScaleChange": largest,
        "cpuCapability": torch.backends.cpu.get_cpu_capability(),
    }


def quantised_matrices(folder: Path) -> set[str]:
    """Names of the checkpoint's matrices whose values lie on the grid."""
    try:
        described = json.loads((folder / "ortbench.json").read_text())
        return set(described["quantisation"]["matrices"])
    except (OSError, ValueError, KeyError, TypeError):
        raise RunnerError("failed", f"{folder} does not say which of its matrices are int4; prepare it again") from None
