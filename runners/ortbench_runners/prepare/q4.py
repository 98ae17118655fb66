"""The int4 of every engine: gguf's Q4_0, blocks of 32 along the input, symmetric, scale = max/-8 kept as float16."""

from __future__ import annotations

import numpy as np
from gguf import GGMLQuantizationType
from gguf.quants import dequantize, quantize

from .architecture import TensorSpec
from .errors import PrepareError

BLOCK_SIZE = 32


def require_blocks(spec: TensorSpec) -> None:
    if spec.shape[1] % BLOCK_SIZE:
        raise PrepareError(
            f"int4 needs rows of a multiple of {BLOCK_SIZE} values, but {spec.name} is "
            f"{spec.shape[0]} x {spec.shape[1]}",
            code="unsupported",
        )


def to_blocks(matrix: np.ndarray) -> np.ndarray:
    """float32[out, in] → uint8[out, in / 32 * 18], as a GGUF file holds it."""
    return quantize(np.ascontiguousarray(matrix), GGMLQuantizationType.Q4_0)


def from_blocks(blocks: np.ndarray) -> np.ndarray:
    return dequantize(blocks, GGMLQuantizationType.Q4_0)


def on_grid(matrix: np.ndarray) -> np.ndarray:
    """The nearest matrix that int4 can hold. Idempotent: a block's largest value is -8 scales exactly."""
    return from_blocks(to_blocks(matrix))
