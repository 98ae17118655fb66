"""Canonical checkpoint → one GGUF file for llama.cpp, without a vocabulary: prompts are token ids."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
from gguf import GGMLQuantizationType, GGUFWriter, LlamaFileType
from gguf.quants import quantize

from .architecture import TensorSpec
from .canonical import Canonical
from .checkpoint import write_facts
from .errors import PrepareError
from .families import family_of
from .families.family import Family
from .progress import progress
from .versions import tool_versions

FILE = "model.gguf"

MATRIX_TYPES = {
    "fp32": GGMLQuantizationType.F32,
    "fp16": GGMLQuantizationType.F16,
    "bf16": GGMLQuantizationType.BF16,
    "int4": GGMLQuantizationType.Q4_0,
}
FILE_TYPES = {
    "fp32": LlamaFileType.ALL_F32,
    "fp16": LlamaFileType.MOSTLY_F16,
    "bf16": LlamaFileType.MOSTLY_BF16,
    "int4": LlamaFileType.MOSTLY_Q4_0,
}


def make_gguf(request: dict[str, Any]) -> dict[str, Any]:
    """request: checkpoint (a canonical folder), precision, name, out (an empty folder)."""
    canonical, out = Canonical(Path(request["checkpoint"])), Path(request["out"])
    precision = request["precision"]
    if canonical.facts["precision"] != precision:
        raise PrepareError(f"the checkpoint is {canonical.facts['precision']}, not {precision}", code="failed")
    out.mkdir(parents=True, exist_ok=True)
    progress(f"writing the {precision} GGUF file")
    types = write_gguf(canonical, precision, request["name"], out / FILE)
    facts = {
        "kind": "gguf",
        "precision": precision,
        "tensorTypes": dict(sorted(Counter(kind.name for kind in types.values()).items())),
        "embeddingType": types["token_embd.weight"].name,
        "headType": types.get("output.weight", types["token_embd.weight"]).name,
        "tools": tool_versions("gguf", "numpy"),
    }
    write_facts(out, facts)
    return {"facts": facts}


def write_gguf(canonical: Canonical, precision: str, name: str, path: Path) -> dict[str, GGMLQuantizationType]:
    config = canonical.config
    family = family_of(config.model_type)
    extra = family.gguf_extra_tensors(config)
    types = {gguf_name(family, spec.name): tensor_type(canonical, spec, precision) for spec in canonical.specs}
    writer = GGUFWriter(path, family.gguf_arch)
    writer.add_name(name)
    writer.add_file_type(FILE_TYPES[precision])
    writer.add_quantization_version(2)
    writer.add_tokenizer_model("no_vocab")
    family.gguf_metadata(writer, config)
    for tensor_name, value in extra.items():
        writer.add_tensor_info(tensor_name, value.shape, value.dtype, value.nbytes)
    for spec in canonical.specs:
        # A first pass for the header alone would read every weight twice; sizes follow from shapes.
        kind = types[gguf_name(family, spec.name)]
        writer.add_tensor_info(gguf_name(family, spec.name), *encoded_shape(spec, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_ti_data_to_file()
    for value in extra.values():
        writer.write_tensor_data(value)
    for spec in canonical.specs:
        value = arrange(family, canonical, spec)
        writer.write_tensor_data(quantize(value, types[gguf_name(family, spec.name)]))
    writer.close()
    return types | {tensor_name: GGMLQuantizationType.F32 for tensor_name in extra}


def tensor_type(canonical: Canonical, spec: TensorSpec, precision: str) -> GGMLQuantizationType:
    # llama.cpp adds and normalises in float32; only matrices and look-up tables have another type.
    if len(spec.shape) == 1:
        return GGMLQuantizationType.F32
    if precision == "int4" and spec.name not in canonical.quantised:
        return GGMLQuantizationType.F32
    return MATRIX_TYPES[precision]


def encoded_shape(spec: TensorSpec, kind: GGMLQuantizationType) -> tuple[tuple[int, ...], np.dtype, int]:
    """Shape, element type and size in bytes of what `quantize` returns."""
    probe = quantize(np.zeros((1, spec.shape[-1]), dtype=np.float32), kind)
    shape = (*spec.shape[:-1], probe.shape[-1])
    return shape, probe.dtype, int(np.prod(shape)) * probe.dtype.itemsize


def gguf_name(family: Family, name: str) -> str:
    module, _, suffix = name.rpartition(".")
    pattern, layer = split_layer(module)
    return f"{family.gguf_modules[pattern].replace('{i}', layer)}.{suffix}"


def split_layer(module: str) -> tuple[str, str]:
    """model.layers.3.mlp.fc1 → (model.layers.{i}.mlp.fc1, 3)."""
    parts = module.split(".")
    if parts[:2] == ["model", "layers"]:
        return ".".join([*parts[:2], "{i}", *parts[3:]]), parts[2]
    return module, ""


def arrange(family: Family, canonical: Canonical, spec: TensorSpec) -> np.ndarray:
    """As llama.cpp wants it: rows in its order, which moves int4 blocks whole, and norms with their offset."""
    value = canonical.array(spec.name)
    if spec.offset:
        value = value + np.float32(spec.offset)
    pattern, _ = split_layer(spec.name.rpartition(".")[0])
    heads_field = family.rotary_interleaved.get(pattern)
    return value if heads_field is None else interleave_halves(value, getattr(canonical.config, heads_field))


def interleave_halves(value: np.ndarray, heads: int) -> np.ndarray:
    """Rows [head, half, j] → [head, j, half]: rotating halves becomes rotating neighbours."""
    rows = value.shape[0]
    halves = value.reshape(heads, 2, rows // heads // 2, *value.shape[1:])
    return np.ascontiguousarray(halves.swapaxes(1, 2).reshape(value.shape))
