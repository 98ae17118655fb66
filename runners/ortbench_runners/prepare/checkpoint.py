"""The canonical checkpoint of a precision: what every engine's artefact of that precision is derived from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file
from transformers import GenerationConfig, PretrainedConfig

from .architecture import TensorSpec, make_config, tensor_specs
from .errors import PrepareError
from .families import family_of
from .families.family import Family
from .progress import progress
from .q4 import BLOCK_SIZE, on_grid, require_blocks
from .sources import TOKENIZER_FILES, Source, open_source
from .tokenizer import write_placeholder_tokenizer
from .versions import tool_versions

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16, "int4": torch.float32}
SHARD_BYTES = 2 << 30
FACTS_FILE = "ortbench.json"
HEAD = "lm_head.weight"


def make_checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    """request: source, layers (or null), contextLength (or null), precision, out (an empty folder)."""
    precision, out = request["precision"], Path(request["out"])
    source = open_source(request["source"])
    config = make_config(source.config, request.get("layers"))
    expect_planned_config(request["source"], config)
    if request.get("contextLength") is not None:
        config.max_position_embeddings = request["contextLength"]
    family = family_of(config.model_type)
    untied = precision == "int4" and config.tie_word_embeddings and not family.one_table
    if untied:
        config.tie_word_embeddings = False
    specs = tensor_specs(config)
    quantised = on_the_grid(specs, family) if precision == "int4" else []
    for spec in quantised:
        require_blocks(spec)
    out.mkdir(parents=True, exist_ok=True)
    parameters = sum(_count(spec) for spec in specs)
    progress(f"writing the {precision} checkpoint ({parameters / 1e6:.1f}M parameters)")
    write_weights(source, specs, quantised, DTYPES[precision], out, untied=untied)
    write_config(config, DTYPES[precision], out)
    write_tokenizer(source.folder, config, out)
    facts = {
        "kind": "checkpoint",
        "precision": precision,
        "dtype": str(DTYPES[precision]).removeprefix("torch."),
        "modelType": config.model_type,
        "parameters": parameters,
        "quantisation": quantisation(quantised, family, untied=untied) if precision == "int4" else None,
        "tools": tool_versions("torch", "transformers", "safetensors", "gguf", "numpy"),
    }
    write_facts(out, facts)
    return {"facts": facts}


def on_the_grid(specs: list[TensorSpec], family: Family) -> list[TensorSpec]:
    """The tensors that int4 quantises."""
    return [spec for spec in specs if spec.role == "matrix" or (family.one_table and spec.role == "embedding")]


def quantisation(quantised: list[TensorSpec], family: Family, *, untied: bool) -> dict[str, Any]:
    return {
        "scheme": "q4_0",
        "blockSize": BLOCK_SIZE,
        "symmetric": True,
        "scale": "max/-8, float16",
        # Linear layers, as the model names them: a head that shares its table with the embedding is one of them.
        "matrices": [HEAD if spec.role == "embedding" else spec.name for spec in quantised],
        # A tied head is a matrix multiplication and is quantised as one; the embedding is a look-up and is not.
        # The two are therefore stored apart, for every engine alike, except where an engine cannot: then both have the
        # values of the grid.
        "headUntied": untied,
        "unquantised": f"{'' if family.one_table else 'embeddings, '}norms and biases stay float32",
    }


def write_weights(
    source: Source,
    specs: list[TensorSpec],
    quantised: list[TensorSpec],
    dtype: torch.dtype,
    out: Path,
    *,
    untied: bool,
) -> None:
    shards = list(_shards(specs, dtype))
    embedding = next(spec for spec in specs if spec.role == "embedding")
    weight_map: dict[str, str] = {}
    created_like = out / FACTS_FILE
    created_like.touch()
    for number, shard in enumerate(shards, start=1):
        name = "model.safetensors" if len(shards) == 1 else f"model-{number:05}-of-{len(shards):05}.safetensors"
        tensors = {
            spec.name: _canonical(
                source, embedding if untied and spec.name == HEAD else spec, dtype, on_int4_grid=spec in quantised
            )
            for spec in shard
        }
        save_file(tensors, out / name, metadata={"format": "pt"})
        # safetensors makes its files readable by their owner only, whatever the user's umask says.
        shutil.copymode(created_like, out / name)
        weight_map.update(dict.fromkeys(tensors, name))
        if len(shards) > 1:
            progress(f"wrote {name}")
    if len(shards) > 1:
        total = sum(_count(spec) * dtype.itemsize for spec in specs)
        index = {"metadata": {"total_size": total}, "weight_map": weight_map}
        (out / "model.safetensors.index.json").write_text(json.dumps(index, indent=2) + "\n", encoding="utf-8")


def _canonical(source: Source, spec: TensorSpec, dtype: torch.dtype, *, on_int4_grid: bool) -> torch.Tensor:
    value = source.tensor(spec)
    if not torch.isfinite(value).all():
        raise PrepareError(f"{spec.name} holds values that are not finite")
    if on_int4_grid:
        value = torch.from_numpy(on_grid(value.numpy()))
    value = value.to(dtype)
    if not torch.isfinite(value).all():
        precision = str(dtype).removeprefix("torch.").replace("bfloat", "bf").replace("float", "fp")
        raise PrepareError(f"{spec.name} holds values too large for {precision}", hint="use bf16", code="unsupported")
    return value.contiguous()


def _shards(specs: list[TensorSpec], dtype: torch.dtype) -> Iterator[list[TensorSpec]]:
    shard: list[TensorSpec] = []
    size = 0
    for spec in specs:
        nbytes = _count(spec) * dtype.itemsize
        if shard and size + nbytes > SHARD_BYTES:
            yield shard
            shard, size = [], 0
        shard.append(spec)
        size += nbytes
    yield shard


def _count(spec: TensorSpec) -> int:
    return torch.Size(spec.shape).numel()


def write_config(config: PretrainedConfig, dtype: torch.dtype, out: Path) -> None:
    config.dtype = dtype
    config.save_pretrained(out)
    # The graph builder reads token ids from here and warns when it cannot.
    GenerationConfig.from_model_config(config).save_pretrained(out)


def write_tokenizer(folder: Path | None, config: PretrainedConfig, out: Path) -> None:
    """Prompts are token ids, but the graph builder and onnxruntime-genai insist on a tokenizer."""
    if folder is not None and (folder / "tokenizer.json").exists():
        for name in TOKENIZER_FILES:
            if (folder / name).exists():
                shutil.copyfile(folder / name, out / name)
    else:
        write_placeholder_tokenizer(config, out)


def write_facts(out: Path, facts: dict[str, Any]) -> None:
    (out / FACTS_FILE).write_text(json.dumps(facts, indent=2) + "\n", encoding="utf-8")


def expect_planned_config(source: dict[str, Any], config: PretrainedConfig) -> None:
    """A hub model may be planned from facts in its YAML file; they must be those of the downloaded config.json."""
    planned = source.get("config") if source["kind"] == "hub" else None
    actual = config.to_dict()
    for key, value in (planned or {}).items():
        # Rotary settings moved between versions of transformers; depth is cut by `layers`.
        if key in actual and key != "num_hidden_layers" and actual[key] != value:
            raise PrepareError(
                f"the model file says {key}: {value}, but {source['id']} has {actual[key]}",
                hint="correct source.config in the model file",
            )
