"""The command line: one JSON reply a request on stdout, whatever libraries print."""

from __future__ import annotations

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import prepare_models as models

RUNNERS = Path(__file__).parent.parent


def prepare(*messages: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "ortbench_runners.prepare"],
        input="".join(json.dumps(message) + "\n" for message in messages),
        text=True,
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(RUNNERS)},
        check=False,
    )


def test_requests_are_answered_in_turn_and_mistakes_end_nothing(tmp_path: Path) -> None:
    nowhere = {"source": {"kind": "folder", "path": str(tmp_path / "no")}, "precision": "fp32", "out": str(tmp_path)}
    source = models.seeded(models.LLAMA)
    checkpoint = {"source": source, "layers": 1, "precision": "fp32", "out": str(tmp_path / "c")}
    graph = {"checkpoint": str(tmp_path / "c"), "precision": "fp32", "device": "cpu", "out": str(tmp_path / "o")}
    done = prepare(
        {"verb": "checkpoint", "request": nowhere},
        {"verb": "checkpoint", "request": checkpoint},
        {"verb": "onnx", "request": graph},
    )
    assert done.returncode == 0, done.stderr
    mistake, made, built = [json.loads(line) for line in done.stdout.splitlines()]
    assert (mistake["ok"], mistake["code"]) == (False, "user")
    assert "there is no model folder" in mistake["message"]
    assert made["facts"]["kind"] == "checkpoint"
    assert built["facts"]["kind"] == "onnx"
    assert "ortbench: writing the fp32 checkpoint" in done.stderr


def test_a_defect_is_a_traceback_and_no_reply() -> None:
    done = prepare({"verb": "checkpoint", "request": {}})
    assert done.returncode != 0
    assert done.stdout == ""
    assert "KeyError" in done.stderr


def test_a_full_disk_is_told_apart(monkeypatch) -> None:
    from ortbench_runners.prepare import __main__ as command

    def full(_request: dict) -> dict:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setitem(command.VERBS, "gguf", full)
    reply = command.answer('{"verb": "gguf", "request": {}}')
    assert (reply["ok"], reply["code"]) == (False, "no-space")
