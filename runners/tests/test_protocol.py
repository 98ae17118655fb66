"""The protocol without a model: golden transcripts, strictness, error codes, and the ends of a runner."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
import textwrap
import time
from pathlib import Path
from typing import Any

import ortbench_runners.protocol as protocol
import ortbench_runners.session as session
import pytest
from fake_engine import FakeClock, FakeRunner, line, load_command
from ortbench_runners.commands import InvalidCommand
from ortbench_runners.errors import CODES, RunnerError, classify
from ortbench_runners.protocol import Server, answer_all

GOLDEN = sorted((Path(__file__).parent / "golden").glob("*.jsonl"))
HELLO = {"type": "hello", "id": 0, "protocol": 1}
RUNNERS = Path(__file__).parent.parent


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    clock = FakeClock()
    monkeypatch.setattr(session, "perf_counter_ns", clock)
    return Server(FakeRunner(clock))


def read_golden(path: Path) -> list[dict[str, Any]]:
    return [json.loads(text) for text in path.read_text().splitlines()]


@pytest.mark.parametrize("path", GOLDEN, ids=lambda path: path.stem)
def test_golden_transcript(server: Server, path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exchanges = read_golden(path)
    assert exchanges
    for exchange in exchanges:
        assert server.answer_line(line(exchange["command"])) == exchange["reply"]


def test_golden_transcripts_are_there() -> None:
    assert [path.stem for path in GOLDEN] == ["errors", "invalid-commands", "session"]


@pytest.mark.parametrize(
    "text",
    [b"garbage", b"[]", b"17", b"\xff\xfe", b'{"type":"hello"}', b'{"type":"hello","id":-1,"protocol":1}', b"[" * 5000],
)
def test_a_line_without_an_id_ends_the_runner(server: Server, text: bytes, capsys: pytest.CaptureFixture) -> None:
    sent: list[Any] = []
    with pytest.raises(InvalidCommand):
        server.answer_line(text)
    assert answer_all(server, io.BytesIO(text + b"\n" + line(HELLO) + b"\n"), sent.append) == 2
    assert sent == []
    assert "invalid command" in capsys.readouterr().err


def test_a_line_is_bounded(server: Server, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture) -> None:
    monkeypatch.setattr(protocol, "MAX_LINE_BYTES", 100)
    assert answer_all(server, io.BytesIO(b"x" * 101), lambda _: None) == 2
    assert "more than 100 bytes" in capsys.readouterr().err


def test_the_end_of_stdin_ends_the_runner(server: Server) -> None:
    sent: list[Any] = []
    assert answer_all(server, io.BytesIO(line(HELLO) + b"\n"), sent.append) == 0
    assert [reply["type"] for reply in sent] == ["hello"]


def test_nothing_is_answered_after_close(server: Server) -> None:
    sent: list[Any] = []
    commands = b"\n".join([line(HELLO), line({"type": "close", "id": 1}), line(HELLO)])
    assert answer_all(server, io.BytesIO(commands), sent.append) == 0
    assert [reply["type"] for reply in sent] == ["hello", "closed"]


@pytest.mark.parametrize(
    ("fault", "code"), [("out of memory", "oom"), ("wrong", "failed"), ("nan", "failed")]
)
def test_a_failing_run_leaves_the_session_usable(server: Server, fault: str, code: str) -> None:
    options: dict[str, Any] = {"fault": fault}
    server.answer_line(line(HELLO))
    server.answer_line(line(load_command(options=options)))
    run = {"type": "generate", "id": 2, "prompts": [[1]], "generate": 2, "capacity": 3, "measurePeakMemory": False}
    failed = server.answer_line(line(run))
    assert (failed["type"], failed["code"], failed["id"]) == ("error", code, 2)
    server._runner.decoder._options.clear()
    assert server.answer_line(line(run))["type"] == "generated"


def test_codes_of_library_errors() -> None:
    class OutOfMemoryError(RuntimeError):
        pass

    assert classify(MemoryError())[0] == "oom"
    assert classify(OutOfMemoryError("CUDA"))[0] == "oom"
    assert classify(RuntimeError("std::bad_alloc"))[0] == "oom"
    assert classify(OSError(12, "Cannot allocate memory"))[0] == "oom"
    assert classify(ValueError("not enough memory of the past"))[0] == "failed"
    assert classify(RunnerError("unsupported", "no")) == ("unsupported", "no")
    assert len(classify(RuntimeError("x" * 10_000))[1]) <= 2000
    with pytest.raises(ValueError):
        RunnerError("no-such-code", "")


def test_codes_are_those_of_the_harness() -> None:
    text = (RUNNERS.parent / "src" / "errors.ts").read_text()
    listed = text.split("ENGINE_ERROR_CODES = [")[1].split("]")[0]
    assert tuple(code.strip(" \n'") for code in listed.split(",") if code.strip()) == CODES


def run_python(source: str, stdin: bytes) -> subprocess.CompletedProcess:
    environment = os.environ | {"PYTHONPATH": f"{RUNNERS}{os.pathsep}{Path(__file__).parent}"}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(source)], input=stdin, capture_output=True, env=environment, timeout=60
    )


def test_prints_do_not_reach_the_protocol() -> None:
    done = run_python(
        """
        import os, sys
        from fake_engine import FakeClock, FakeRunner
        from ortbench_runners.protocol import serve
        class Noisy(FakeRunner):
            def versions(self):
                print("printed by Python", flush=True)
                os.write(1, b"printed by a C library\\n")
                os.system("echo printed by a child")
                return super().versions()
        sys.exit(serve(Noisy(FakeClock())))
        """,
        line(HELLO) + b"\n",
    )
    assert done.returncode == 0
    assert [json.loads(text)["type"] for text in done.stdout.splitlines()] == ["hello"]
    assert done.stderr.count(b"printed by") == 3


@pytest.mark.parametrize(
    "module", [["ortbench_runners.pytorch", "--mode", "eager"], ["ortbench_runners.genai"]], ids=lambda m: m[0]
)
def test_the_real_runners_greet_and_refuse_without_a_model(module: list[str]) -> None:
    commands = [HELLO, load_command(options={"noSuchOption": 1}), {"type": "close", "id": 2}]
    done = subprocess.run(
        [sys.executable, "-m", *module],
        input=b"\n".join(map(line, commands)),
        capture_output=True,
        env=os.environ | {"PYTHONPATH": str(RUNNERS)},
        timeout=60,
    )
    replies = [json.loads(text) for text in done.stdout.splitlines()]
    assert [reply["type"] for reply in replies] == ["hello", "error", "closed"]
    assert "noSuchOption" in replies[1]["message"]
    assert done.returncode == 0


def test_a_runner_ends_with_its_parent() -> None:
    # The parent starts a runner that is busy, says its pid, and dies without a word to it.
    done = run_python(
        """
        import os, subprocess, sys
        child = subprocess.Popen(
            [sys.executable, "-c",
             "import time; from ortbench_runners.protocol import end_with_parent; end_with_parent(); "
             "print('up', flush=True); time.sleep(60)"],
            stdout=subprocess.PIPE)
        child.stdout.readline()
        print(child.pid, flush=True)
        os._exit(0)
        """,
        b"",
    )
    pid = int(done.stdout)
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        if Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z":
            return
        time.sleep(0.1)
    os.kill(pid, 9)
    pytest.fail("the runner outlived its parent")
