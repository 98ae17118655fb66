"""Canonical checkpoint → ONNX, by onnxruntime-genai's own builder, plus one change to its graph.

OUT/model.onnx       the graph that the harness drives: input logits_index chooses each sequence's position
OUT/genai/           the builder's graph for onnxruntime-genai: the last position, genai_config.json, tokenizer
OUT/genai/*.data     the weights, once: both graphs refer to them
"""

from __future__ import annotations

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import numpy_helper

from .canonical import Canonical
from .checkpoint import write_facts
from .errors import PrepareError
from .families import family_of
from .logits_index import choose_logits_by_index
from .progress import progress
from .versions import tool_versions

GRAPH = "model.onnx"
WEIGHTS = "model.onnx.data"
GENAI = "genai"

# Where the builder makes graphs with GroupQueryAttention, the operator that the harness and its KV cache count on.
BUILDABLE = {
    "cpu": ("fp32", "fp16", "int4"),
    "cuda": ("fp16", "bf16", "int4"),
    "webgpu": ("fp32", "fp16", "int4"),
}

# What the builder is told instead of the device. With fp16 for the CPU it makes an attention that copies its cache on
# every step; its fp16 graph for GPUs is made of operators that the CPU provider has too, but for the matrix products,
# between which that provider puts casts by itself.
BUILT_FOR = {("cpu", "fp16"): "webgpu"}

# int8 activations inside int4 products: MatMulNBits' fast path on CPUs, and what llama.cpp does with Q4_0 too.
ACCURACY_LEVEL = {"cpu": 4, "cuda": 0, "webgpu": 4}


def make_onnx(request: dict[str, Any]) -> dict[str, Any]:
    """request: checkpoint (a canonical folder), precision, device, out (an empty folder)."""
    checkpoint, out = Path(request["checkpoint"]), Path(request["out"])
    precision, device = request["precision"], request["device"]
    canonical = Canonical(checkpoint)
    require_one_head(canonical)
    if precision not in BUILDABLE[device]:
        raise PrepareError(f"the ONNX model builder makes no {precision} graph for {device}", code="unsupported")
    genai = out / GENAI
    genai.mkdir(parents=True)
    progress(f"building the {precision} ONNX graph")
    options = builder_options(precision, device, window=sliding_window(canonical))
    built_for = BUILT_FOR.get((device, precision), device)
    run_builder(canonical, genai, precision, built_for, options, out / "builder-cache")
    scale = family_of(canonical.config.model_type).embedding_scale(canonical.config)
    if scale != 1:
        scale_embedding_exactly(genai / GRAPH, scale)
    choose_logits_by_index(genai / GRAPH, out / GRAPH, weights=f"{GENAI}/{WEIGHTS}")
    facts = {
        "kind": "onnx",
        "precision": precision,
        "device": device,
        **({} if built_for == device else {"builtFor": built_for}),
        "builderOptions": options,
        **graph_facts(out / GRAPH, canonical.config.num_hidden_layers, window=sliding_window(canonical)),
        "quantisation": {
            "scheme": "MatMulNBits int4, the Q4_0 values exactly",
            "blockSize": 32,
            "accuracyLevel": ACCURACY_LEVEL[device],
        }
        if precision == "int4"
        else None,
        "tools": tool_versions("onnxruntime-genai", "onnxruntime", "onnx", "onnx-ir", "torch", "transformers"),
    }
    write_facts(out, facts)
    return {"facts": facts}


def sliding_window(canonical: Canonical) -> int | None:
    return getattr(canonical.config, "sliding_window", None)


def builder_options(precision: str, device: str, *, window: int | None) -> dict[str, Any]:
    # A tied head is written out: shared, the embedding would be a transposition of the head on every run, unless the
    # optimiser folds it.
    options: dict[str, Any] = {"prune_lm_head": True, "shared_embeddings": False}
    if window is not None:
        # Attention keeps to the window, over a cache that holds every token: the harness's cache is of that kind, and
        # onnxruntime-genai's then is the same.
        options["windowed_kv_cache"] = False
    if precision == "int4":
        # `default` rounds each block to scale = max/-8, so values that lie on that grid already are kept exactly.
        options |= {
            "algo_config": "default",
            "block_size": 32,
            "is_symmetric": True,
            "accuracy_level": ACCURACY_LEVEL[device],
            # The embedding is a look-up: like every other engine's, it stays in floating point.
            "op_types_to_quantize": "MatMul",
        }
    if precision == "fp32" and device == "webgpu":
        options["use_webgpu_fp32"] = True
    return options


def run_builder(
    canonical: Canonical, out: Path, precision: str, device: str, options: dict[str, Any], cache: Path
) -> None:
    from onnxruntime_genai.models import builder

    checkpoint, config = str(canonical.source.folder), canonical.config
    # Everything is local here: no token is looked for.
    pairs = [f"{key}={value}" for key, value in (options | {"hf_token": False}).items()]
    parsed = builder.parse_extra_options(None, checkpoint, str(out), precision, device, str(cache), pairs)
    for name, value in family_of(config.model_type).builder_overrides(config).items():
        setattr(parsed["hf_details"]["hf_config"], name, value)
    builder.create_model(None, checkpoint, str(out), precision, device, str(cache), **parsed)
    shutil.rmtree(cache, ignore_errors=True)
    written = json.loads((out / "genai_config.json").read_text(encoding="utf-8"))
    if written["model"]["decoder"]["filename"] != GRAPH or not (out / WEIGHTS).exists():
        raise PrepareError(f"the ONNX model builder wrote other files than {GRAPH} and {WEIGHTS}", code="failed")


def require_one_head(canonical: Canonical) -> None:
    """The builder takes the first linear layer with as many rows as the vocabulary for the head, and stops there."""
    vocabulary = canonical.config.vocab_size
    for spec in canonical.specs:
        if spec.role == "matrix" and spec.shape[0] == vocabulary and spec.name != "lm_head.weight":
            raise PrepareError(
                f"{spec.name} has as many rows as the vocabulary ({vocabulary}): the ONNX model builder would take it "
                "for the head",
                hint="choose another vocab_size",
                code="unsupported",
            )


def scale_embedding_exactly(path: Path, scale: float) -> None:
    """The builder writes the factor with two decimals, which is off by up to 5e-4 of small ones."""
    model = onnx.load(path, load_external_data=False)
    factors = [node.input[1] for node in model.graph.node if node.name == "/model/embed_tokens/Mul"]
    constants = [node for node in model.graph.node if list(node.output) == factors]
    if len(constants) != 1 or constants[0].op_type != "Constant":
        raise PrepareError("the ONNX model builder made no constant that scales the embedding", code="failed")
    value = constants[0].attribute[0].t
    built = numpy_helper.to_array(value)
    if abs(float(built) - scale) > 0.01 * scale:
        raise PrepareError(f"the ONNX model builder scales the embedding by {built}, expected {scale}", code="failed")
    value.CopyFrom(numpy_helper.from_array(np.array(scale, dtype=built.dtype).reshape(built.shape), value.name))
    onnx.save(model, path)


def graph_facts(path: Path, layers: int, *, window: int | None) -> dict[str, Any]:
    """What the graph computes with, read from the graph and not from what was asked for."""
    graph = onnx.load(path, load_external_data=False).graph
    operators = Counter(node.op_type for node in graph.node)
    if operators["GroupQueryAttention"] != layers:
        raise PrepareError("the ONNX model builder made another attention than GroupQueryAttention", code="failed")
    windows = {local_window(node) for node in graph.node if node.op_type == "GroupQueryAttention"}
    if windows != {window}:
        raise PrepareError(f"the ONNX model builder made windows {windows}, expected {window}", code="failed")
    types = {tensor.name: tensor.data_type for tensor in graph.initializer}
    embedding = next(node for node in graph.node if node.name == "/model/embed_tokens/Gather")
    head = next(node for node in graph.node if node.name.startswith("/lm_head/MatMul") and node.input[1] in types)
    logits = next(value for value in graph.output if value.name == "logits")
    return {
        "operators": dict(sorted(operators.items())),
        **({} if window is None else {"slidingWindow": window}),
        "embeddingType": type_name(types[embedding.input[0]]),
        "headType": "int4" if head.op_type == "MatMulNBits" else type_name(types[head.input[1]]),
        "logitsType": type_name(logits.type.tensor_type.elem_type),
    }


def type_name(data_type: int) -> str:
    return onnx.TensorProto.DataType.Name(data_type).lower()


def local_window(node: onnx.NodeProto) -> int | None:
    """Positions that the attention sees, its own among them; None is all of them."""
    windows = [attribute.i for attribute in node.attribute if attribute.name == "local_window_size"]
    return windows[0] if windows and windows[0] > 0 else None
