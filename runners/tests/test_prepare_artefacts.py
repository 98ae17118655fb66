"""ONNX and GGUF: the canonical matrices bit for bit, and the ONNX graph's logits against transformers."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import prepare_models as models
import pytest
import torch
from gguf import GGUFReader
from onnx import numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor
from ortbench_runners.prepare.errors import PrepareError
from ortbench_runners.prepare.families import FAMILIES, llama
from ortbench_runners.prepare.gguf_export import interleave_halves, make_gguf
from ortbench_runners.prepare.onnx_export import make_onnx
from ortbench_runners.prepare.q4 import on_grid
from ortbench_runners.prepare.verify import require_constants, verify_artefact
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM

CASES = [(name, precision) for name in models.MODELS for precision in ("fp32", "int4")]
# Logits against transformers in fp32 on the same weights. int8 activations in int4 products, see ACCURACY_LEVEL; fp16
# between the products, see BUILT_FOR: the weights are exact, the arithmetic is not.
TOLERANCE = {"fp32": 2e-5, "fp16": 5e-3, "int4": 0.08}


@dataclass(frozen=True)
class Prepared:
    checkpoint: Path
    onnx: Path
    gguf: Path


@pytest.fixture(scope="module", params=CASES, ids=lambda case: "-".join(case))
def prepared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    name, precision = request.param
    base = tmp_path_factory.mktemp(f"{name}-{precision}")
    made = Prepared(base / "checkpoint", base / "onnx", base / "gguf")
    models.make_checkpoint(made.checkpoint, models.seeded(models.MODELS[name]), precision)
    shared = {"checkpoint": str(made.checkpoint), "precision": precision}
    make_onnx(shared | {"device": "cpu", "out": str(made.onnx)})
    make_gguf(shared | {"name": name, "out": str(made.gguf)})
    return made


def precision_of(prepared: Prepared) -> str:
    return json.loads((prepared.checkpoint / "ortbench.json").read_text())["precision"]


@pytest.mark.parametrize("kind", ["onnx", "gguf"])
def test_every_tensor_and_constant_is_the_canonical_one(prepared: Prepared, kind: str) -> None:
    request = {"kind": kind, "artefact": str(getattr(prepared, kind)), "checkpoint": str(prepared.checkpoint)}
    reply = verify_artefact(request)
    assert reply["missing"] == []
    assert [tensor["name"] for tensor in reply["tensors"] if tensor["verdict"] != "identical"] == []
    assert [constant for constant in reply["constants"] if constant["verdict"] != "equal"] == []
    assert len(reply["constants"]) >= 9
    if precision_of(prepared) == "int4":
        kinds = {
            tensor["storedAs"]
            for tensor in reply["tensors"]
            if len(tensor["shape"]) == 2 and "embed" not in tensor["canonical"][0]
        }
        assert kinds - {"F32"} == {"int4 blocks of 32" if kind == "onnx" else "Q4_0"}


def reference_logits(prepared: Prepared, rows: list[np.ndarray]) -> np.ndarray:
    """float32[rows, vocabulary]: each row alone, in transformers, float32."""
    model = AutoModelForCausalLM.from_pretrained(prepared.checkpoint, dtype=torch.float32).eval()
    with torch.no_grad():
        return np.stack([model(torch.from_numpy(row[None])).logits[0, -1].numpy() for row in rows])


class Graph:
    def __init__(self, folder: Path) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(folder / "model.onnx", options)
        decoder = json.loads((folder / "genai" / "genai_config.json").read_text())["model"]["decoder"]
        self.heads, self.head_size = decoder["num_key_value_heads"], decoder["head_size"]
        past = [value for value in self.session.get_inputs() if value.name.startswith("past_key_values.")]
        self.past = [value.name for value in past]
        self.past_type = {"tensor(float)": np.float32, "tensor(float16)": np.float16}[past[0].type]

    def run(
        self, ids: np.ndarray, mask: np.ndarray, index: np.ndarray, past: list[np.ndarray] | None
    ) -> list[np.ndarray]:
        """[logits of the chosen positions, present…]"""
        empty = [np.zeros((len(ids), self.heads, 0, self.head_size), self.past_type)] * len(self.past)
        feed = {"input_ids": ids, "attention_mask": mask, "logits_index": index}
        return self.session.run(None, feed | dict(zip(self.past, past or empty, strict=True)))


def normalised_error(value: np.ndarray, reference: np.ndarray) -> float:
    return float(np.sqrt(np.mean((value - reference) ** 2)) / reference.std())


def test_logits_of_a_ragged_batch_and_the_step_after_it(prepared: Prepared) -> None:
    generator = np.random.default_rng(5)
    graph = Graph(prepared.onnx)
    lengths = [200, 3, 57]
    rows = [generator.integers(3, 500, length) for length in lengths]
    ids = np.zeros((3, max(lengths)), np.int64)
    mask = np.zeros_like(ids)
    for row, tokens in enumerate(rows):
        ids[row, : len(tokens)], mask[row, : len(tokens)] = tokens, 1
    index = np.array(lengths)[:, None] - 1
    logits, *present = graph.run(ids, mask, index, None)
    tolerance = TOLERANCE[precision_of(prepared)]
    assert logits.shape[:2] == (3, 1)
    assert normalised_error(logits[:, 0], reference_logits(prepared, rows)) < tolerance

    # Room for one more token, right-padded as before: each row's new token goes where its own prompt ended.
    grown = [np.concatenate([value, np.zeros_like(value[:, :, :1])], axis=2) for value in present]
    step = generator.integers(3, 500, (3, 1))
    mask = (np.arange(max(lengths) + 1) <= np.array(lengths)[:, None]).astype(np.int64)
    after, *_ = graph.run(step, mask, np.zeros((3, 1), np.int64), grown)
    longer = [np.concatenate([tokens, step[row]]) for row, tokens in enumerate(rows)]
    assert normalised_error(after[:, 0], reference_logits(prepared, longer)) < tolerance


def optimised_nodes(folder: Path, level: onnxruntime.GraphOptimizationLevel, out: Path) -> list[tuple]:
    """Operator, attributes and edges of each node as ONNX Runtime would run it."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = level
    options.optimized_model_filepath = str(out)
    onnxruntime.InferenceSession(folder / "model.onnx", options)
    return [
        (node.domain, node.op_type, sorted(map(str, node.attribute)), list(node.input), list(node.output))
        for node in onnx.load(out, load_external_data=False).graph.node
    ]


def test_the_two_highest_graph_levels_give_the_same_nodes(prepared: Prepared, tmp_path: Path) -> None:
    """docs/tuning.md calls a measured difference between them chance; where they differ one day, it is none."""
    levels = onnxruntime.GraphOptimizationLevel
    highest = optimised_nodes(prepared.onnx, levels.ORT_ENABLE_ALL, tmp_path / "all.onnx")
    assert highest == optimised_nodes(prepared.onnx, levels.ORT_ENABLE_EXTENDED, tmp_path / "extended.onnx")
    assert {"GroupQueryAttention"} < {operator for _, operator, *_ in highest}


def test_the_genai_folder_shares_the_weights(prepared: Prepared) -> None:
    names = {path.relative_to(prepared.onnx).as_posix() for path in prepared.onnx.rglob("*") if path.is_file()}
    assert {"model.onnx", "genai/model.onnx", "genai/model.onnx.data", "genai/genai_config.json"} <= names
    assert [name for name in names if name.endswith(".data")] == ["genai/model.onnx.data"]


def test_gguf_keeps_embeddings_in_floating_point_and_has_no_vocabulary(prepared: Prepared) -> None:
    reader = GGUFReader(prepared.gguf / "model.gguf")
    types = {tensor.name: tensor.tensor_type.name for tensor in reader.tensors}
    matrix = "Q4_0" if precision_of(prepared) == "int4" else "F32"
    one_table = json.loads((prepared.checkpoint / "config.json").read_text())["model_type"] == "gemma"
    assert types["token_embd.weight"] == (matrix if one_table else "F32")
    if not one_table and "output.weight" not in types:
        assert matrix == "F32"
    assert types.get("output.weight", matrix) == matrix
    assert reader.fields["tokenizer.ggml.model"].contents() == "no_vocab"


def make_both(base: Path, config: dict, precision: str = "fp32") -> dict:
    """Facts of the ONNX artefact; base/c, base/o and base/g are the folders."""
    models.make_checkpoint(base / "c", models.seeded(config), precision, layers=1)
    shared = {"checkpoint": str(base / "c"), "precision": precision}
    make_gguf(shared | {"name": "m", "out": str(base / "g")})
    return make_onnx(shared | {"device": "cpu", "out": str(base / "o")})["facts"]


def test_gemmas_norms_hold_their_sum_and_its_embedding_is_scaled_exactly(tmp_path: Path) -> None:
    make_both(tmp_path, models.GEMMA)
    stored = load_file(tmp_path / "c" / "model.safetensors")["model.layers.0.input_layernorm.weight"].numpy()
    assert abs(stored.mean()) < 0.1
    tensors = {tensor.name: tensor.data for tensor in GGUFReader(tmp_path / "g" / "model.gguf").tensors}
    assert np.array_equal(tensors["blk.0.attn_norm.weight"], stored + np.float32(1))
    for graph in ("model.onnx", "genai/model.onnx"):
        nodes = onnx.load(tmp_path / "o" / graph, load_external_data=False).graph.node
        factor = next(node for node in nodes if node.name == "/model/embed_tokens/Mul").input[1]
        constant = next(node for node in nodes if list(node.output) == [factor])
        assert numpy_helper.to_array(constant.attribute[0].t) == np.float32(128**0.5)


def test_gemmas_table_is_on_the_grid_for_every_engine(tmp_path: Path) -> None:
    facts = make_both(tmp_path, models.GEMMA, "int4")
    assert (facts["embeddingType"], facts["headType"]) == ("float", "int4")
    described = json.loads((tmp_path / "c" / "ortbench.json").read_text())["quantisation"]
    assert "lm_head.weight" in described["matrices"] and not described["headUntied"]
    weights = load_file(tmp_path / "c" / "model.safetensors")
    table = weights["model.embed_tokens.weight"].numpy()
    assert "lm_head.weight" not in weights and np.array_equal(on_grid(table), table)


def test_the_builder_keeps_to_mistrals_window(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    facts = make_both(tmp_path / "kept", models.MISTRAL)
    assert facts["slidingWindow"] == 32
    assert make_both(tmp_path / "none", models.MISTRAL | {"sliding_window": None}).get("slidingWindow") is None
    window = GGUFReader(tmp_path / "kept" / "g" / "model.gguf").fields["llama.attention.sliding_window"]
    assert window.contents() == 32
    # Left to itself it drops the window without a word.
    monkeypatch.setitem(FAMILIES, "mistral", replace(FAMILIES["mistral"], builder_overrides=llama.builder_overrides))
    with pytest.raises(PrepareError, match="made windows {None}, expected 32"):
        make_both(tmp_path / "dropped", models.MISTRAL)


def test_verification_finds_one_wrong_scale(tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "c", models.seeded(models.LLAMA), "int4")
    make_gguf({"checkpoint": str(tmp_path / "c"), "precision": "int4", "name": "m", "out": str(tmp_path / "g")})
    reader = GGUFReader(tmp_path / "g" / "model.gguf", "r+")
    tensor = next(tensor for tensor in reader.tensors if tensor.name == "blk.1.ffn_up.weight")
    tensor.data[7, 0] ^= 1
    tensor.data.flush()
    del reader, tensor
    reply = verify_artefact({"kind": "gguf", "artefact": str(tmp_path / "g"), "checkpoint": str(tmp_path / "c")})
    wrong = [tensor for tensor in reply["tensors"] if tensor["verdict"] != "identical"]
    assert [tensor["name"] for tensor in wrong] == ["blk.1.ffn_up.weight"]
    # 31 or 32 values of one block: a value of zero stays zero under any scale.
    assert 16 <= wrong[0]["differing"] <= 32


def test_interleaving_turns_halves_into_neighbours() -> None:
    rows = np.arange(8)[:, None]
    assert interleave_halves(rows, heads=2)[:, 0].tolist() == [0, 2, 1, 3, 4, 6, 5, 7]


def test_a_matrix_that_the_builder_would_take_for_the_head(tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "c", models.seeded(models.PHI | {"vocab_size": 512}), layers=1)
    request = {"checkpoint": str(tmp_path / "c"), "precision": "fp32", "device": "cpu", "out": str(tmp_path / "o")}
    with pytest.raises(PrepareError, match="would take it for the head"):
        make_onnx(request)


def test_int4_graphs_for_gpus_round_the_embedding_alone(tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "c", models.seeded(models.LLAMA), "int4", layers=1)
    shared = {"checkpoint": str(tmp_path / "c")}
    facts = make_onnx(shared | {"precision": "int4", "device": "cuda", "out": str(tmp_path / "o")})["facts"]
    assert (facts["embeddingType"], facts["logitsType"]) == ("float16", "float16")
    reply = verify_artefact(shared | {"kind": "onnx", "artefact": str(tmp_path / "o")})
    verdicts = {tensor["name"]: tensor["verdict"] for tensor in reply["tensors"] if len(tensor["shape"]) == 2}
    assert [constant for constant in reply["constants"] if constant["verdict"] != "equal"] == []
    assert verdicts.pop("/model/embed_tokens/Gather") == "rounded"
    assert set(verdicts.values()) == {"identical"}


@pytest.mark.parametrize("name", models.MODELS)
def test_fp16_for_the_cpu_keeps_its_weights_and_appends_to_its_cache(name: str, tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "c", models.seeded(models.MODELS[name]), "fp16")
    shared = {"checkpoint": str(tmp_path / "c")}
    made = make_onnx(shared | {"precision": "fp16", "device": "cpu", "out": str(tmp_path / "o")})["facts"]
    assert (made["device"], made["builtFor"], made["operators"]["GroupQueryAttention"]) == ("cpu", "webgpu", 2)
    assert (made["embeddingType"], made["headType"], made["logitsType"]) == ("float16", "float16", "float16")
    require_constants("onnx", shared | {"out": str(tmp_path / "o")}, {})
    reply = verify_artefact(shared | {"kind": "onnx", "artefact": str(tmp_path / "o")})
    changed = {tensor["name"] for tensor in reply["tensors"] if tensor["verdict"] != "identical"}
    # Gemma's norms are 1 + weight, which has no place in fp16 for the last bits of the weight.
    assert all(name == "gemma" and "norm" in tensor for tensor in changed)
    assert {tensor["verdict"] for tensor in reply["tensors"]} <= {"identical", "rounded"}
    assert reply["missing"] == []

    graph = Graph(tmp_path / "o")
    row = np.random.default_rng(5).integers(3, 500, 57)
    inputs = row[None], np.ones((1, 57), np.int64), np.array([[56]])
    logits = graph.run(*inputs, None)[0][:, 0].astype(np.float32)
    reference = reference_logits(Prepared(tmp_path / "c", tmp_path / "o", tmp_path), [row])
    assert normalised_error(logits, reference) < TOLERANCE["fp16"]


def test_precisions_without_an_honest_graph(tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "c", models.seeded(models.LLAMA), "bf16", layers=1)
    request = {"checkpoint": str(tmp_path / "c"), "precision": "bf16", "device": "cpu", "out": str(tmp_path / "o")}
    with pytest.raises(PrepareError) as caught:
        make_onnx(request)
    assert caught.value.code == "unsupported"


@pytest.mark.parametrize("name", models.MODELS)
def test_what_pytorch_packs_is_the_int4_checkpoint_but_for_rounded_scales(name: str, tmp_path: Path) -> None:
    facts = models.make_checkpoint(tmp_path, models.seeded(models.MODELS[name]), "int4")
    reply = verify_artefact({"kind": "checkpoint", "artefact": str(tmp_path), "checkpoint": str(tmp_path)})
    packed = {tensor["name"] for tensor in reply["tensors"] if tensor["storedAs"].startswith("int4 blocks of 32")}
    assert packed == set(facts["quantisation"]["matrices"])
    assert (reply["missing"], reply["constants"]) == ([], [])
    assert {tensor["verdict"] for tensor in reply["tensors"]} <= {"identical", "rounded"}
    largest = max(tensor["largestRelativeDifference"] for tensor in reply["tensors"] if tensor["name"] in packed)
    assert 0 < largest <= 2.0**-8


def test_constants_that_no_logits_show(tmp_path: Path) -> None:
    make_both(tmp_path, models.LLAMA, "int4")
    request = {"checkpoint": str(tmp_path / "c")}
    graph = onnx.load(tmp_path / "o" / "model.onnx", load_external_data=False)
    norm = next(node for node in graph.graph.node if node.op_type == "SkipSimplifiedLayerNormalization")
    next(attribute for attribute in norm.attribute if attribute.name == "epsilon").f = 1e-5
    caches = {tensor.name: tensor for tensor in graph.graph.initializer if tensor.name.endswith("_cache")}
    load_external_data_for_tensor(caches["cos_cache"], str(tmp_path / "o"))
    shifted = np.roll(numpy_helper.to_array(caches["cos_cache"]), 1, axis=0)
    caches["cos_cache"].Clear()
    caches["cos_cache"].CopyFrom(numpy_helper.from_array(shifted, "cos_cache"))
    (tmp_path / "o" / "model.onnx").write_bytes(graph.SerializeToString())
    reply = verify_artefact(request | {"kind": "onnx", "artefact": str(tmp_path / "o")})
    wrong = {constant["name"] for constant in reply["constants"] if constant["verdict"] != "equal"}
    assert wrong == {"norm epsilon", "cos_cache"}

    reader = GGUFReader(tmp_path / "g" / "model.gguf", "r+")
    for key, value in (("llama.rope.freq_base", 5e4), ("llama.attention.layer_norm_rms_epsilon", 1e-5)):
        field = reader.fields[key]
        field.parts[field.data[0]][0] = value
    reader.data.flush()
    with pytest.raises(PrepareError, match="layer_norm_rms_epsilon is 9.99.*e-06, expected 0.001; rotary frequencies"):
        require_constants("gguf", request | {"out": str(tmp_path / "g")}, {})
