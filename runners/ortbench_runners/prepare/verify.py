"""Every tensor of an artefact against the canonical checkpoint, value by value, and the constants beside them."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from gguf import GGUFReader
from gguf.quants import dequantize

from ..errors import RunnerError
from ..int4 import ACTIVATIONS, GROUP_SIZE, Int4Linear, quantised_matrices, to_grid
from .canonical import Canonical
from .constants import NORMS, gguf_constants, onnx_constants
from .errors import PrepareError
from .families import family_of
from .gguf_export import FILE, arrange, gguf_name
from .onnx_export import GRAPH
from .onnx_tensors import read_initializer

# The final norm in GGUF, by which the family's own name of that module is found.
FINAL_NORM = "output_norm"


# What PyTorch computes with besides its weights it reads from the checkpoint's own configuration.
CONSTANTS = {"onnx": onnx_constants, "gguf": gguf_constants, "checkpoint": lambda canonical, artefact: ()}

# bf16 has 8 significant bits: rounding changes a value by at most this share of it.
BF16_ROUNDING = 2.0**-8


@dataclass(frozen=True)
class Stored:
    name: str
    """Its name in the artefact."""
    kind: str
    """How it is stored there."""
    canonical: tuple[str, ...]
    """The tensors of the checkpoint that it holds, in order."""
    value: np.ndarray
    expected: np.ndarray
    rounding: float = 0.0
    """Share of a value that the format's rounding may change; 0 where it holds every value."""


def verify_artefact(request: dict[str, Any]) -> dict[str, Any]:
    """request: kind (onnx or gguf), artefact (its folder), checkpoint (the canonical folder of the same precision).
    With kind checkpoint, artefact is an int4 checkpoint: what PyTorch makes of it in memory is compared with its files.

    Answers with one entry a tensor, the canonical tensors that no entry covers, and one entry a constant.
    """
    canonical, artefact = Canonical(Path(request["checkpoint"])), Path(request["artefact"])
    tensors, seen = [], set()
    for stored in TENSORS[request["kind"]](canonical, artefact):
        seen.update(stored.canonical)
        tensors.append(compare(stored))
    return {
        "tensors": tensors,
        "missing": [spec.name for spec in canonical.specs if spec.name not in seen],
        "constants": list(CONSTANTS[request["kind"]](canonical, artefact)),
    }


def require_constants(kind: str, request: dict[str, Any], reply: dict[str, Any]) -> dict[str, Any]:
    """The reply to a request that made an artefact, once what it computes with is what the checkpoint says."""
    entries = CONSTANTS[kind](Canonical(Path(request["checkpoint"])), Path(request["out"]))
    wrong = [entry for entry in entries if entry["verdict"] != "equal"]
    if wrong:
        found = "; ".join(f"{entry['name']} is {entry['stored']}, expected {entry['expected']}" for entry in wrong)
        raise PrepareError(f"the {kind} artefact computes with other constants than the model: {found}", code="failed")
    return reply


def compare(stored: Stored) -> dict[str, Any]:
    entry = {
        "name": stored.name,
        "storedAs": stored.kind,
        "canonical": list(stored.canonical),
        "shape": list(stored.expected.shape),
    }
    if stored.value.shape != stored.expected.shape:
        unknown = {"largestDifference": None, "largestRelativeDifference": None}
        return entry | {"verdict": "differs", "differing": stored.expected.size, **unknown}
    # By value: 0 and -0 are the same weight.
    differing = int((stored.value != stored.expected).sum())
    difference = {
        "differing": differing,
        "largestDifference": float(np.abs(stored.value - stored.expected).max(initial=0.0)),
        "largestRelativeDifference": largest_relative_difference(stored),
    }
    return entry | {"verdict": verdict(stored, differing)} | difference


def verdict(stored: Stored, differing: int) -> str:
    if differing == 0:
        return "identical"
    # int4 graphs for GPUs compute in float16, and keep the embedding so.
    if stored.kind == "float16" and (stored.value == stored.expected.astype(np.float16)).all():
        return "rounded"
    if stored.rounding and (np.abs(stored.value - stored.expected) <= stored.rounding * np.abs(stored.expected)).all():
        return "rounded"
    return "differs"


def largest_relative_difference(stored: Stored) -> float:
    """Over the values that are not 0."""
    there = stored.expected != 0
    return float(np.abs(stored.value[there] / stored.expected[there] - 1).max(initial=0.0))


def packed_tensors(canonical: Canonical, artefact: Path) -> Iterator[Stored]:
    """What PyTorch computes with in int4: matrices packed for its kernel, and everything else in its activations' type."""
    named = quantised_matrices(artefact)
    # A tied head is a matrix of its own beside the table that it is made of.
    tied = {"lm_head.weight": "model.embed_tokens.weight"} if canonical.config.tie_word_embeddings else {}
    for name in [spec.name for spec in canonical.specs] + [head for head in tied if head in named]:
        source = tied.get(name, name)
        expected = canonical.array(source)
        kind, value = packed(name, expected) if name in named else ("bfloat16", rounded(expected))
        yield Stored(name, kind, (source,), value, expected, rounding=BF16_ROUNDING)


def packed(name: str, expected: np.ndarray) -> tuple[str, np.ndarray]:
    """How PyTorch's kernel has a matrix whose values lie on the grid, and the values that it multiplies with."""
    matrix = torch.from_numpy(expected)
    try:
        layer, (integers, _) = Int4Linear(matrix, None), to_grid(matrix)
    except RunnerError as error:
        raise PrepareError(f"{name}: {error}", code="failed") from None
    if not layer.holds(integers):
        raise PrepareError(f"PyTorch packs other integers than those of {name}", code="failed")
    scales = layer.scales()
    blocks = (integers - 8).reshape(*scales.shape, GROUP_SIZE) * scales.unsqueeze(-1)
    return f"int4 blocks of {GROUP_SIZE}, scales in bfloat16", blocks.reshape(expected.shape).numpy()


def rounded(expected: np.ndarray) -> np.ndarray:
    return torch.from_numpy(expected).to(ACTIVATIONS).float().numpy()


def gguf_tensors(canonical: Canonical, artefact: Path) -> Iterator[Stored]:
    family = family_of(canonical.config.model_type)
    tensors = {tensor.name: tensor for tensor in GGUFReader(artefact / FILE).tensors}
    for spec in canonical.specs:
        tensor = tensors.get(gguf_name(family, spec.name))
        if tensor is not None:
            value = dequantize(tensor.data, tensor.tensor_type)
            yield Stored(tensor.name, tensor.tensor_type.name, (spec.name,), value, arrange(family, canonical, spec))


def onnx_tensors(canonical: Canonical, artefact: Path) -> Iterator[Stored]:
    """Both graphs share their weights, so the harness's own stands for both."""
    graph = onnx.load(artefact / GRAPH, load_external_data=False).graph
    initializers = {tensor.name: tensor for tensor in graph.initializer}

    def array(name: str) -> np.ndarray:
        return read_initializer(initializers[name], artefact)

    for node in graph.node:
        names = canonical_weights(canonical, node)
        if names:
            expected = np.concatenate([canonical.array(name) for name in names])
            kind, value = stored_matrix(node, array)
            yield Stored(node.name, kind, names, value.astype(np.float32), expected)
        for initializer, vectors in canonical_vectors(canonical, node, initializers.keys()):
            expected = np.concatenate([canonical.array(name) + offset_of(canonical, name) for name in vectors])
            value = array(initializer)
            yield Stored(initializer, str(value.dtype), vectors, value.astype(np.float32), expected)


TENSORS = {"onnx": onnx_tensors, "gguf": gguf_tensors, "checkpoint": packed_tensors}


def canonical_vectors(
    canonical: Canonical, node: onnx.NodeProto, initializers: Container[str]
) -> Iterator[tuple[str, tuple[str, ...]]]:
    """Initializers of a norm or of an addition after a matrix multiplication → the canonical vectors in each."""
    family = family_of(canonical.config.model_type)
    pattern, layer = split_node(node.name)
    if node.op_type in NORMS:
        module = pattern.removeprefix("/").replace("/", ".").replace("{i}", layer)
        if pattern.endswith("/final_norm_layernorm"):
            module = next(name for name, stored in family.gguf_modules.items() if stored == FINAL_NORM)
        # The values that are normalised come first: one input, or two where a sum is made on the way.
        for initializer, kind in zip(node.input[2 if node.op_type.startswith("Skip") else 1 :], ("weight", "bias")):
            yield initializer, (f"{module}.{kind}",)
    elif node.op_type == "Add" and pattern in family.onnx_matmuls:
        names = tuple(f"{module.replace('{i}', layer)}.bias" for module in family.onnx_matmuls[pattern])
        for initializer in node.input:
            if initializer in initializers:
                yield initializer, names


def offset_of(canonical: Canonical, name: str) -> np.float32:
    return np.float32(next(spec.offset for spec in canonical.specs if spec.name == name))


def canonical_weights(canonical: Canonical, node: onnx.NodeProto) -> tuple[str, ...]:
    if node.op_type == "Gather" and node.name == "/model/embed_tokens/Gather":
        return ("model.embed_tokens.weight",)
    if node.op_type not in ("MatMul", "MatMulNBits"):
        return ()
    pattern, layer = split_node(node.name)
    modules = family_of(canonical.config.model_type).onnx_matmuls.get(pattern)
    if modules is None:
        return ()
    names = tuple(f"{module.replace('{i}', layer)}.weight" for module in modules)
    tied = canonical.config.tie_word_embeddings
    return tuple("model.embed_tokens.weight" if tied and name == "lm_head.weight" else name for name in names)


def split_node(name: str) -> tuple[str, str]:
    """/model/layers.3/attn/o_proj/MatMul_Q4 → (/model/layers.{i}/attn/o_proj, 3)."""
    parts = name.split("/")[:-1]
    layer = ""
    for index, part in enumerate(parts):
        if part.startswith("layers."):
            layer = part.removeprefix("layers.")
            parts[index] = "layers.{i}"
    return "/".join(parts), layer


def stored_matrix(node: onnx.NodeProto, array: Callable[[str], np.ndarray]) -> tuple[str, np.ndarray]:
    """How the node's weight is stored, and its values as [out, in]."""
    if node.op_type == "Gather":
        weight = array(node.input[0])
        return str(weight.dtype), weight
    if node.op_type == "MatMul":
        weight = array(node.input[1])
        return str(weight.dtype), weight.T
    attributes = {attribute.name: attribute.i for attribute in node.attribute}
    kind = f"int{attributes['bits']} blocks of {attributes['block_size']}"
    if attributes["bits"] != 4 or any(node.input[3:4]):
        raise PrepareError(f"{node.name} is stored as {kind} with zero points; expected symmetric int4", code="failed")
    return kind, dequantize_matmulnbits(array(node.input[1]), array(node.input[2]), attributes["N"], attributes["K"])


def dequantize_matmulnbits(packed: np.ndarray, scales: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """uint8[N, blocks, block / 2], low nibble first, zero at 8, one scale a block → float32[N, K]."""
    nibbles = np.stack([packed & 0x0F, packed >> 4], axis=-1).reshape(rows, packed.shape[1], -1)
    values = (nibbles.astype(np.float32) - 8) * scales.astype(np.float32).reshape(rows, -1, 1)
    return values.reshape(rows, -1)[:, :columns]
