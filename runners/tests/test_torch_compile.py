"""torch.compile: the tokens of eager, and no compilation once a shape is prepared. Each graph takes seconds."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import nano
import pytest
import torch
from ortbench_runners.commands import Prepare
from ortbench_runners.errors import RunnerError
from ortbench_runners.pytorch import PytorchRunner
from ortbench_runners.session import DecodeSession
from ortbench_runners.static_cache import StaticKvCache, attention_window
from ortbench_runners.torch_compile import auto_modes, cuda_graphs
from test_int4 import save_int4

SHAPE = Prepare(batchSize=2, promptLength=len(nano.PROMPTS[0]), generate=nano.STEPS)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return nano.save(tmp_path_factory.mktemp("llama"), nano.LLAMA)


@pytest.fixture(scope="module")
def session(folder: Path) -> DecodeSession:
    return PytorchRunner("compile").load(nano.load_command(folder))[0]


def test_a_prepared_shape_is_not_compiled_again(folder: Path, session: DecodeSession) -> None:
    prepared = session.prepare(SHAPE)
    assert prepared["compileNs"] > 0
    # Looking at the kernels, after compiling, compiles nothing either.
    assert prepared["effective"]["activations"] == "fp32"
    assert prepared["effective"]["matmulDecode"].endswith("(with those of attention)")
    expected = nano.reference_tokens(folder, nano.PROMPTS)
    for _ in range(2):
        result = nano.generate(session, nano.PROMPTS)
        assert result["recompiles"] == 0
        assert result["tokens"] == expected


def test_another_capacity_needs_no_other_graph(folder: Path, session: DecodeSession, tmp_path: Path) -> None:
    session.prepare(SHAPE)
    before = session._decoder.compilations()
    continuation = [[9, 8, 7], [6, 5, 4]]
    logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
    assert session._decoder.compilations() == before
    expected = nano.reference_logits(folder, nano.PROMPTS, continuation)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


def test_a_ragged_batch_reports_its_own_graph_and_is_answered_as_alone(folder: Path, session: DecodeSession) -> None:
    first = nano.generate(session, nano.RAGGED)
    assert first["recompiles"] >= 1, "the masked prompt is a graph that prepare does not know of"
    again = nano.generate(session, nano.RAGGED)
    assert again["recompiles"] == 0
    assert first["tokens"] == again["tokens"] == nano.reference_tokens(folder, nano.RAGGED)


def test_int4_is_compiled_too(tmp_path: Path) -> None:
    folder = save_int4(tmp_path / "model")
    session, _ = PytorchRunner("compile").load(nano.load_command(folder, "int4"))
    session.prepare(SHAPE)
    continuation = [[9, 8, 7], [6, 5, 4]]
    logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
    expected = nano.reference_logits(folder, nano.PROMPTS, continuation)
    assert (logits - expected).square().mean().sqrt() / expected.std() < 0.05


def test_the_cache_is_cleared_and_of_the_cells_capacity() -> None:
    cache = StaticKvCache(nano.LLAMA, 2, 10, torch.float32, torch.device("cpu"))
    keys = torch.ones(2, 2, 3, 16)
    cache.set_prefilling(True)
    returned, _ = cache.layers[1].update(keys, keys)
    assert returned is keys and cache.layers[1].keys.shape == (2, 2, 10, 16)
    cache.set_prefilling(False)
    cache.position.fill_(3)
    returned, _ = cache.layers[1].update(keys[:, :, :1] * 2, keys[:, :, :1])
    assert returned[0, 0, :, 0].tolist() == [1, 1, 1, 2, 0, 0, 0, 0, 0, 0]
    cache.clear()
    assert cache.layers[1].keys.abs().max() == 0 and cache.position.item() == 0


def test_a_sliding_window_is_kept_to(tmp_path: Path) -> None:
    folder = nano.save(tmp_path / "model", nano.MISTRAL)
    session, _ = PytorchRunner("compile").load(nano.load_command(folder))
    assert len(nano.PROMPTS[0]) > nano.MISTRAL.sliding_window
    for prompts in (nano.PROMPTS, nano.RAGGED):
        assert nano.generate(session, prompts)["tokens"] == nano.reference_tokens(folder, prompts)
    continuation = [[9, 8, 7], [6, 5, 4]]
    logits = nano.forced_logits(session, nano.PROMPTS, continuation, tmp_path / "logits")
    expected = nano.reference_logits(folder, nano.PROMPTS, continuation)
    torch.testing.assert_close(logits, expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(
    ("settings", "window"),
    [
        ({"sliding_window": 8}, 8),
        ({"sliding_window": None}, None),
        ({"sliding_window": 8, "layer_types": ["full_attention"] * 2}, None),
        ({"sliding_window": 8, "layer_types": ["sliding_attention"] * 2}, 8),
    ],
)
def test_which_window_a_configuration_means(settings: dict, window: int | None) -> None:
    assert attention_window(SimpleNamespace(**settings)) == window


def test_layers_that_differ_are_refused() -> None:
    mixed = SimpleNamespace(sliding_window=8, layer_types=["sliding_attention", "full_attention"])
    with pytest.raises(RunnerError, match="layers differ"):
        attention_window(mixed)


def test_options_are_checked(folder: Path) -> None:
    with pytest.raises(RunnerError, match="no compile mode 'fastest'"):
        PytorchRunner("compile").load(nano.load_command(folder, mode="fastest"))
    with pytest.raises(RunnerError, match="no option 'speed'"):
        PytorchRunner("compile").load(nano.load_command(folder, speed="max"))


@pytest.mark.parametrize(
    ("device", "precision", "modes"),
    [
        ("cpu", "fp32", ("default", "max-autotune-no-cudagraphs")),
        ("cpu", "int4", ("max-autotune-no-cudagraphs", "max-autotune-no-cudagraphs")),
        ("cuda", "fp16", ("default", "reduce-overhead")),
    ],
)
def test_each_precision_has_the_modes_that_were_measured_to_be_its_fastest(
    device: str, precision: str, modes: tuple[str, str]
) -> None:
    assert auto_modes(replace(nano.load_command(Path("anywhere")), device=device, precision=precision)) == modes


def test_cuda_graphs_are_named_where_a_mode_captures_them() -> None:
    assert cuda_graphs("cpu", ("max-autotune", "max-autotune")) == "none"
    assert cuda_graphs("cuda", ("default", "reduce-overhead")) == "decode"
    assert cuda_graphs("cuda", ("max-autotune", "max-autotune")) == "prefill and decode"
    assert cuda_graphs("cuda", ("default", "max-autotune-no-cudagraphs")) == "none"
