"""Seeded weights that are the same bytes on every machine.

Library generators of normal numbers differ in the last bit between processors and versions. These come from
Philox's counter stream, which NumPy keeps stable, by integer sums and correctly rounded IEEE operations alone.
"""

from __future__ import annotations

import hashlib
import math

import numpy as np
import torch

from .architecture import TensorSpec

GENERATOR = "philox-irwin-hall-1"

# A value is the sum of four 16-bit uniforms: bell-shaped, within 3.47 standard deviations.
_MEAN = 4 * 65535 / 2
_DEVIATION = math.sqrt(4 * (65536**2 - 1) / 12)
_CHUNK = 1 << 22

# Chosen so that a random model behaves like one: activations keep their size from layer to layer, attention is
# neither uniform nor a single position, what layers add outweighs the token's own embedding, so that greedy
# generation depends on the whole context instead of repeating, and logits spread over a few units.
EMBEDDING_DEVIATION = 0.25
MATRIX_GAIN = 1.4
BIAS_DEVIATION = 0.05
NORM_DEVIATION = 0.1


def seeded_tensor(spec: TensorSpec, seed: int) -> torch.Tensor:
    """float32 of the tensor's shape. Depends on the seed and the tensor's name only, not on order or depth."""
    key = int.from_bytes(hashlib.sha256(f"{GENERATOR}/{seed}/{spec.name}".encode()).digest()[:16], "little")
    stream = np.random.Philox(key=key)
    offset, deviation = _distribution(spec)
    values = np.empty(math.prod(spec.shape), dtype=np.float32)
    for start in range(0, values.size, _CHUNK):
        chunk = values[start : start + _CHUNK]
        words = stream.random_raw(chunk.size).astype("<u8").view("<u2").reshape(-1, 4)
        total = words.sum(axis=1, dtype=np.int64).astype(np.float64)
        chunk[:] = offset + (total - _MEAN) * (deviation / _DEVIATION)
    return torch.from_numpy(values.reshape(spec.shape))


def _distribution(spec: TensorSpec) -> tuple[float, float]:
    if spec.role == "embedding":
        return 0.0, EMBEDDING_DEVIATION / spec.scale
    if spec.role == "matrix":
        return 0.0, MATRIX_GAIN / math.sqrt(spec.shape[1])
    if spec.role == "bias":
        return 0.0, BIAS_DEVIATION
    return 1.0 - spec.offset, NORM_DEVIATION
