"""Hub models without the hub: what is cached needs no network, and its absence is said plainly."""

from __future__ import annotations

from pathlib import Path

import prepare_models as models
import pytest
from huggingface_hub.errors import LocalEntryNotFoundError
from ortbench_runners.prepare import hub
from ortbench_runners.prepare.errors import PrepareError

REVISION = "0123456789abcdef0123456789abcdef01234567"
SOURCE = {"kind": "hub", "id": "owner/name", "revision": REVISION}


def test_a_complete_snapshot_is_used_without_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models.make_checkpoint(tmp_path / "m", models.seeded(models.LLAMA), layers=1)
    asked = []

    def snapshot(model_id: str, **options: object) -> str:
        asked.append((model_id, options["revision"], options["local_files_only"]))
        return str(tmp_path / "m")

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    assert "model.norm.weight" in hub.open_hub(SOURCE).files
    assert asked == [("owner/name", REVISION, True)]


def test_an_incomplete_snapshot_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    models.make_checkpoint(tmp_path / "m", models.seeded(models.LLAMA), layers=1)
    (tmp_path / "half").mkdir()

    def snapshot(_model_id: str, **options: object) -> str:
        patterns = options["allow_patterns"]
        assert isinstance(patterns, list)
        assert not any(pattern.endswith((".py", ".bin", ".pt", "*")) for pattern in patterns)
        return str(tmp_path / ("half" if options["local_files_only"] else "m"))

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    assert hub.open_hub(SOURCE).folder == tmp_path / "m"


def test_a_hub_that_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def snapshot(_model_id: str, **_options: object) -> str:
        raise LocalEntryNotFoundError("Got: ConnectError: no route\nRetry 1/5\nRetry 2/5")

    monkeypatch.setattr(hub, "snapshot_download", snapshot)
    with pytest.raises(PrepareError) as caught:
        hub.open_hub(SOURCE)
    assert caught.value.code == "unavailable"
    assert str(caught.value) == "owner/name@0123456 could not be downloaded: Got: ConnectError: no route"
    assert "local folder" in str(caught.value.hint)
