"""What an artefact computes with besides its weights, against the configuration of the canonical checkpoint.

A wrong norm epsilon is smaller than the rounding of int4: no logits show it. The files do.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from gguf import GGUFReader
from onnx import numpy_helper
from transformers import PretrainedConfig

from .architecture import rotary_frequencies
from .canonical import Canonical
from .families import family_of
from .families.family import Family, head_size
from .gguf_export import FILE
from .onnx_export import GRAPH
from .onnx_tensors import read_initializer

NORMS = (
    "LayerNormalization",
    "SimplifiedLayerNormalization",
    "SkipLayerNormalization",
    "SkipSimplifiedLayerNormalization",
)
EXTRA_FREQUENCIES = "rope_freqs.weight"

Entry = dict[str, Any]


def gguf_constants(canonical: Canonical, artefact: Path) -> Iterator[Entry]:
    config, family = canonical.config, family_of(canonical.config.model_type)
    reader = GGUFReader(artefact / FILE)
    frequencies = rotary_frequencies(config)
    for name, expected in gguf_expected(config, family, 2 * len(frequencies)).items():
        field = reader.fields.get(f"{family.gguf_arch}.{name}")
        yield entry(name, None if field is None else field.contents(), expected)
    yield compared("rotary frequencies", gguf_frequencies(reader, family), frequencies, relative=1e-5)


def gguf_expected(config: PretrainedConfig, family: Family, rotary_size: int) -> dict[str, float]:
    values = {
        "block_count": config.num_hidden_layers,
        "embedding_length": config.hidden_size,
        "feed_forward_length": config.intermediate_size,
        "attention.head_count": config.num_attention_heads,
        "attention.head_count_kv": config.num_key_value_heads,
        "attention.key_length": head_size(config),
        "attention.value_length": head_size(config),
        "rope.dimension_count": rotary_size,
        family.gguf_epsilon: family.norm_epsilon(config),
    }
    window = getattr(config, "sliding_window", None)
    return values if window is None else values | {"attention.sliding_window": window}


def gguf_frequencies(reader: GGUFReader, family: Family) -> np.ndarray:
    """float64[rotary size / 2], as llama.cpp makes them of the base and the divisors that the file has."""
    base = reader.fields[f"{family.gguf_arch}.rope.freq_base"].contents()
    size = reader.fields[f"{family.gguf_arch}.rope.dimension_count"].contents()
    divisors = next((tensor.data for tensor in reader.tensors if tensor.name == EXTRA_FREQUENCIES), 1.0)
    return float(base) ** (-np.arange(0, size, 2) / size) / divisors


def onnx_constants(canonical: Canonical, artefact: Path) -> Iterator[Entry]:
    config, family = canonical.config, family_of(canonical.config.model_type)
    graph = onnx.load(artefact / GRAPH, load_external_data=False).graph
    norms = [attributes(node) for node in graph.node if node.op_type in NORMS]
    weights = sum(1 for spec in canonical.specs if spec.role == "norm")
    yield entry("norms", len(norms), weights)
    yield entry("norm epsilon", only(norms, "epsilon"), family.norm_epsilon(config))
    attentions = [attributes(node) for node in graph.node if node.op_type == "GroupQueryAttention"]
    yield entry("attentions", len(attentions), config.num_hidden_layers)
    for name, expected in attention_expected(config).items():
        yield entry(f"attention {name}", only(attentions, name), expected)
    scale = family.embedding_scale(config)
    if scale != 1:
        yield entry("embedding scale", *embedding_scale(graph, scale))
    yield from rotary_caches(graph, artefact, config)


def attention_expected(config: PretrainedConfig) -> dict[str, float]:
    return {
        "num_heads": config.num_attention_heads,
        "kv_num_heads": config.num_key_value_heads,
        "scale": head_size(config) ** -0.5,
        "local_window_size": getattr(config, "sliding_window", None) or -1,
        "softcap": 0,
        "do_rotary": 1,
        "rotary_interleaved": 0,
    }


def rotary_caches(graph: onnx.GraphProto, artefact: Path, config: PretrainedConfig) -> Iterator[Entry]:
    frequencies = rotary_frequencies(config)
    for tensor in graph.initializer:
        function = {"cos_cache": np.cos, "sin_cache": np.sin}.get(tensor.name)
        if function is None:
            continue
        stored = read_initializer(tensor, artefact)
        positions = np.arange(stored.shape[0])
        # Angles are products in float32; what its rounding does grows with the position.
        absolute = stored.shape[0] * 2.0**-22 + float(np.finfo(stored.dtype).eps)
        expected = function(np.outer(positions, frequencies))
        yield compared(tensor.name, stored.astype(np.float64), expected, absolute=absolute)


def embedding_scale(graph: onnx.GraphProto, scale: float) -> tuple[float | None, float]:
    """The graph's factor, and the expected one in the graph's own type, as transformers rounds it as well."""
    factors = [node.input[1] for node in graph.node if node.name == "/model/embed_tokens/Mul"]
    values = [node.attribute[0].t for node in graph.node if list(node.output) == factors]
    if len(values) != 1:
        return None, scale
    factor = numpy_helper.to_array(values[0])
    return float(factor), float(np.asarray(scale, factor.dtype))


def attributes(node: onnx.NodeProto) -> dict[str, Any]:
    return {attribute.name: onnx.helper.get_attribute_value(attribute) for attribute in node.attribute}


def only(nodes: list[dict[str, Any]], name: str) -> Any:
    """The value that all nodes share; all their values where they do not agree."""
    values = sorted({node.get(name, 0) for node in nodes})
    return values[0] if len(values) == 1 else values


def entry(name: str, stored: Any, expected: float) -> Entry:
    """Numbers are equal when float32 cannot tell them apart."""
    same = isinstance(stored, (int, float, np.number)) and bool(np.isclose(stored, expected, rtol=1e-6, atol=0))
    return {"name": name, "stored": str(stored), "expected": str(expected), "verdict": "equal" if same else "differs"}


def compared(
    name: str, stored: np.ndarray, expected: np.ndarray, *, relative: float = 0.0, absolute: float = 0.0
) -> Entry:
    if stored.shape != expected.shape:
        shapes = {"stored": f"shape {stored.shape}", "expected": f"shape {expected.shape}"}
        return {"name": name, **shapes, "verdict": "differs"}
    same = bool(np.allclose(stored, expected, rtol=relative, atol=absolute))
    difference = float(np.abs(stored - expected).max(initial=0.0))
    return {
        "name": name,
        "stored": f"{stored.size} values, off by up to {difference:.2g}",
        "expected": f"off by at most {absolute:.2g}" if absolute else f"off by at most {relative:.2g} of the value",
        "verdict": "equal" if same else "differs",
    }
