"""The tools that drivers are measured against choose the reference's tokens, and tell times that add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gguf
import nano
import numpy as np
import onnxruntime
import prepare_models as models
import pytest
from ortbench_runners.commands import Generate, Prepare, TeacherForce
from ortbench_runners.errors import RunnerError
from ortbench_runners.fidelity.genai_loop import GenaiLoopRunner
from ortbench_runners.fidelity.q8_0 import write_q8_0
from ortbench_runners.fidelity.tool_runner import ToolSession
from ortbench_runners.fidelity.transformers_tools import TOOLS, TransformersRunner
from ortbench_runners.prepare.onnx_export import make_onnx


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("fidelity") / "checkpoint"
    models.make_checkpoint(out, models.seeded(models.LLAMA), "fp32")
    return out


def generate(session: ToolSession, count: int, capacity: int = nano.CAPACITY) -> dict[str, Any]:
    return session.generate(Generate(nano.PROMPTS, count, capacity, False))


def check_run(result: dict[str, Any], expected: list[list[int]], count: int) -> None:
    assert result["tokens"] == [row[:count] for row in expected]
    assert len(result["stepNs"]) == count - 1
    assert len(result["selectNs"]) == count
    assert result["prefillNs"] > 0 and all(ns >= 0 for ns in result["stepNs"])
    assert result["prefillNs"] + sum(result["stepNs"]) <= result["wallNs"]
    assert result["recompiles"] == 0


@pytest.mark.parametrize("tool", TOOLS)
def test_transformers_tools(checkpoint: Path, tool: str) -> None:
    expected = nano.reference_tokens(checkpoint, nano.PROMPTS)
    session, loaded = TransformersRunner(tool).load(nano.load_command(checkpoint))
    assert loaded["vocabSize"] == models.LLAMA["vocab_size"]
    length = len(nano.PROMPTS[0])
    session.prepare(Prepare(len(nano.PROMPTS), length, nano.STEPS))
    capacity = length + nano.STEPS
    # A short run before and after a whole one: nothing of a run is left over for the next, nor compiled again.
    for count in (2, nano.STEPS, 2, nano.STEPS):
        check_run(generate(session, count, capacity), expected, count)
    session.close()


def test_genai_loop(checkpoint: Path, tmp_path: Path) -> None:
    make_onnx({"checkpoint": str(checkpoint), "precision": "fp32", "device": "cpu", "out": str(tmp_path / "onnx")})
    (library,) = Path(onnxruntime.__file__).parent.glob("capi/libonnxruntime.so*")
    with pytest.raises(RunnerError, match="one option, onnxruntimeLibrary"):
        GenaiLoopRunner().load(nano.load_command(tmp_path / "onnx"))
    session, _ = GenaiLoopRunner().load(nano.load_command(tmp_path / "onnx", onnxruntimeLibrary=str(library)))
    expected = nano.reference_tokens(checkpoint, nano.PROMPTS)
    for count in (nano.STEPS, 2):
        check_run(generate(session, count), expected, count)
    session.close()


def test_what_a_tool_refuses(checkpoint: Path) -> None:
    session, _ = TransformersRunner("loop").load(nano.load_command(checkpoint))
    with pytest.raises(RunnerError, match="equal length"):
        session.generate(Generate(nano.RAGGED, 2, nano.CAPACITY, False))
    with pytest.raises(RunnerError, match="does not fit"):
        generate(session, nano.STEPS, capacity=8)
    with pytest.raises(RunnerError, match="timed only"):
        session.teacher_force(TeacherForce(nano.PROMPTS, [[1], [1]], "x"))
    with pytest.raises(RunnerError, match="no option 'mode'"):
        TransformersRunner("loop").load(nano.load_command(checkpoint, mode="x"))


def test_q8_0_keeps_the_values_to_8_bits_and_the_rest_as_it_is(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    matrix = rng.standard_normal((4, 64), dtype=np.float32)
    norm = rng.standard_normal(64, dtype=np.float32)
    writer = gguf.GGUFWriter(tmp_path / "model.gguf", "llama")
    writer.add_name("any")
    writer.add_file_type(gguf.LlamaFileType.ALL_F32)
    writer.add_block_count(3)
    writer.add_array("any.list", [1, 2, 3])
    writer.add_tensor("blk.0.ffn_up.weight", matrix)
    writer.add_tensor("blk.0.attn_norm.weight", norm)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()

    assert write_q8_0(tmp_path / "model.gguf", tmp_path / "q8.gguf") == 1
    reader = gguf.GGUFReader(tmp_path / "q8.gguf")
    assert reader.get_field("llama.block_count").contents() == 3
    assert reader.get_field("any.list").contents() == [1, 2, 3]
    assert reader.get_field("general.file_type").contents() == gguf.LlamaFileType.MOSTLY_Q8_0
    tensors = {tensor.name: tensor for tensor in reader.tensors}
    quantised = tensors["blk.0.ffn_up.weight"]
    assert quantised.tensor_type == gguf.GGMLQuantizationType.Q8_0
    values = gguf.quants.dequantize(quantised.data, quantised.tensor_type)
    assert values.shape == matrix.shape
    assert 0 < np.abs(values - matrix).max() < np.abs(matrix).max() / 100
    assert (tensors["blk.0.attn_norm.weight"].data == norm).all()
