"""Nothing is reported of a user's machine, in a network that leads nowhere: without the switch it really would be."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import ortbench_runners
import prepare_models as models
import pytest
from ortbench_runners.prepare.onnx_export import make_onnx

NOWHERE = ["unshare", "--net", "--map-root-user"]
RUNNERS = str(Path(ortbench_runners.__file__).parents[1])
SWITCHED_ON = "import os; del os.environ['ORT_DISABLE_TELEMETRY']; "

pytestmark = pytest.mark.skipif(
    shutil.which("unshare") is None or subprocess.run([*NOWHERE, "true"], capture_output=True).returncode != 0,
    reason="no network can be made that leads nowhere",
)


def left_behind(home: Path, program: str) -> list[str]:
    """Files that a program leaves in its user's home. CI would switch telemetry off by itself."""
    home.mkdir()
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "TMPDIR": str(home), "PYTHONPATH": RUNNERS}
    subprocess.run([*NOWHERE, sys.executable, "-c", program], env=env, check=True, capture_output=True)
    return [file.name for file in home.rglob("*")]


def test_onnxruntime_reports_nothing(tmp_path: Path) -> None:
    assert left_behind(tmp_path / "off", "import ortbench_runners, onnxruntime") == []
    assert "deviceid" in left_behind(tmp_path / "on", f"import ortbench_runners; {SWITCHED_ON}import onnxruntime")


def test_onnxruntime_genai_reports_nothing(tmp_path: Path) -> None:
    models.make_checkpoint(tmp_path / "checkpoint", models.seeded(models.LLAMA), "fp32")
    onnx = tmp_path / "onnx"
    make_onnx({"checkpoint": str(tmp_path / "checkpoint"), "precision": "fp32", "device": "cpu", "out": str(onnx)})
    load = f"import onnxruntime_genai; onnxruntime_genai.Model({str(onnx / 'genai')!r})"
    assert left_behind(tmp_path / "off", f"import ortbench_runners; {load}") == []
    assert "onnxruntime-genai.db" in left_behind(tmp_path / "on", f"import ortbench_runners; {SWITCHED_ON}{load}")
