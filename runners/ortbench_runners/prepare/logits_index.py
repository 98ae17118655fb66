"""One graph for prompts of different lengths: the position whose logits are computed becomes an input."""

from __future__ import annotations

from pathlib import Path

import onnx
from onnx import helper

from .errors import PrepareError

INPUT = "logits_index"


def choose_logits_by_index(pruned: Path, out: Path, *, weights: str) -> None:
    """Writes `pruned` again with input logits_index int64[batch, 1]; logits stay [batch, 1, vocabulary].

    The builder's pruned head gathers position -1, which is padding for the shorter rows of a right-padded batch.
    The weights are not copied: `weights` is where their external file lies, seen from the folder of `out`.
    """
    model = onnx.load(pruned, load_external_data=False)
    gather = _pruning_gather(model.graph)
    chosen = helper.make_node(
        "GatherND", [gather.input[0], INPUT], list(gather.output), name="/lm_head/logits_index/GatherND", batch_dims=1
    )
    position = list(model.graph.node).index(gather)
    model.graph.node.remove(gather)
    model.graph.node.insert(position, chosen)
    model.graph.input.append(helper.make_tensor_value_info(INPUT, onnx.TensorProto.INT64, ["batch_size", 1]))
    _drop_unused(model.graph, gather.input[1])
    for tensor in model.graph.initializer:
        for entry in tensor.external_data:
            if entry.key == "location":
                entry.value = weights
    onnx.save(model, out)


def _drop_unused(graph: onnx.GraphProto, name: str) -> None:
    if any(name in node.input for node in graph.node):
        return
    for tensor in [tensor for tensor in graph.initializer if tensor.name == name]:
        graph.initializer.remove(tensor)
    for node in [node for node in graph.node if list(node.output) == [name]]:
        graph.node.remove(node)


def _pruning_gather(graph: onnx.GraphProto) -> onnx.NodeProto:
    found = [node for node in graph.node if node.name == "/lm_head/prune/Gather" and node.op_type == "Gather"]
    if len(found) != 1:
        raise PrepareError("the ONNX model builder made no pruned head to redirect", code="failed")
    axis = [attribute.i for attribute in found[0].attribute if attribute.name == "axis"]
    if axis != [1]:
        raise PrepareError(f"the ONNX model builder prunes along axis {axis}, expected [1]", code="failed")
    return found[0]
