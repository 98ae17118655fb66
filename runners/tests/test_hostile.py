"""Every reader of the Python side against the corpus of hostile files (test/corpus, kept with its generator)."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import ortbench_runners.session as session
import prepare_models as models
import pytest
from fake_engine import FakeClock, FakeRunner
from ortbench_runners.commands import InvalidCommand
from ortbench_runners.errors import RunnerError
from ortbench_runners.external_data import require_contained
from ortbench_runners.prepare.architecture import TensorSpec, make_config
from ortbench_runners.prepare.errors import PrepareError
from ortbench_runners.prepare.sources import Folder, read_json
from ortbench_runners.protocol import Server

CORPUS = Path(__file__).parents[2] / "test" / "corpus" / "data"


def corpus(kind: str) -> list[Path]:
    found = sorted((CORPUS / kind).iterdir())
    assert len(found) > 15
    return found


def with_stem(path: Path) -> str:
    return path.stem


@pytest.mark.parametrize("path", corpus("safetensors"), ids=with_stem)
def test_safetensors_are_read_or_refused(path: Path, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    shutil.copyfile(path, tmp_path / "model.safetensors")
    try:
        folder = Folder(tmp_path)
        folder.tensor(TensorSpec("w", (2, 2), "matrix"))
    except PrepareError as error:
        assert "model.safetensors" in str(error) or "has no tensor" in str(error) or "has shape" in str(error)
    else:
        assert path.stem.startswith("changed-")


@pytest.mark.parametrize("path", corpus("model-configs"), ids=with_stem)
def test_model_configs_are_refused_without_running_anything(path: Path, tmp_path: Path) -> None:
    shutil.copyfile(path, tmp_path / "config.json")
    before = set(sys.modules)
    try:
        make_config(read_json(tmp_path / "config.json", ""), None)
    except PrepareError:
        pass
    else:
        # transformers has defaults for what is missing, and takes what it does not check; the harness does neither.
        assert not path.stem.startswith(("not-", "null", "list", "number", "deep", "constructor", "auto", "huge-layers"))
    assert "evil" not in set(sys.modules) - before


@pytest.mark.parametrize("path", corpus("onnx"), ids=with_stem)
def test_external_data_stays_in_its_folder(path: Path, tmp_path: Path) -> None:
    shutil.copyfile(path, tmp_path / "model.onnx")
    try:
        require_contained(tmp_path / "model.onnx")
    except RunnerError as error:
        assert error.code == "failed"
    else:
        assert not path.stem.startswith("external-")


def test_links_out_of_a_model_folder_are_refused_and_those_of_a_hub_cache_allowed(tmp_path: Path) -> None:
    model = CORPUS / "onnx" / "external-missing.onnx"
    snapshot = tmp_path / "models--a--b" / "snapshots" / "0123"
    snapshot.mkdir(parents=True)
    (tmp_path / "models--a--b" / "blobs").mkdir()
    (tmp_path / "models--a--b" / "blobs" / "cafe").write_bytes(b"weights")
    shutil.copyfile(model, snapshot / "model.onnx")
    (snapshot / "absent.data").symlink_to("../../blobs/cafe")
    require_contained(snapshot / "model.onnx")

    elsewhere = tmp_path / "model"
    elsewhere.mkdir()
    shutil.copyfile(model, elsewhere / "model.onnx")
    (elsewhere / "absent.data").symlink_to(tmp_path / "models--a--b" / "blobs" / "cafe")
    with pytest.raises(RunnerError, match="link that leaves"):
        require_contained(elsewhere / "model.onnx")


@pytest.mark.parametrize("path", corpus("replies"), ids=with_stem)
def test_lines_that_are_no_commands_are_answered_or_end_the_runner(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = FakeClock()
    monkeypatch.setattr(session, "perf_counter_ns", clock)
    server = Server(FakeRunner(clock))
    for line in path.read_bytes().split(b"\n"):
        try:
            reply = server.answer_line(line)
        except InvalidCommand:
            continue
        assert reply["type"] == "error"
        assert len(json.dumps(reply)) < 1000


@pytest.mark.parametrize("name", ["pytorch_model.bin", "model.pt", "model.pth"])
def test_pickles_are_never_opened(name: str, tmp_path: Path) -> None:
    touched = tmp_path / "pickle-ran"
    (tmp_path / "config.json").write_text("{}")
    (tmp_path / name).write_bytes(f"cposix\nsystem\n(S'touch {touched}'\ntR.".encode())
    with pytest.raises(PrepareError, match="no safetensors weights") as refused:
        Folder(tmp_path)
    assert name in (refused.value.hint or "")
    assert not touched.exists()


def test_code_beside_a_known_architecture_is_dropped_and_not_run(tmp_path: Path) -> None:
    fields = {**models.LLAMA, "auto_map": {"AutoConfig": "evil.Evil"}}
    config = make_config(fields, 1)
    assert not hasattr(config, "auto_map")
    assert type(config).__module__.startswith("transformers.")
