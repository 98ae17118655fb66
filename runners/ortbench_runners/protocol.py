"""The runner's side of the protocol: one JSON line in, one out, until `close` or the end of stdin."""

from __future__ import annotations

import ctypes
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, BinaryIO, Protocol

from .commands import (
    PROTOCOL_VERSION,
    Close,
    Command,
    Generate,
    Hello,
    InvalidCommand,
    Load,
    Prepare,
    TeacherForce,
    parse,
)
from .errors import RunnerError, classify

PR_SET_PDEATHSIG = 1
# The longest honest command holds the prompts of one batch.
MAX_LINE_BYTES = 64 * 1024 * 1024

Reply = dict[str, Any]


class Session(Protocol):
    """A loaded model; each method returns the fields of its reply."""

    def prepare(self, command: Prepare) -> Reply: ...
    def generate(self, command: Generate) -> Reply: ...
    def teacher_force(self, command: TeacherForce) -> Reply: ...
    def close(self) -> None: ...


class Runner(Protocol):
    name: str

    def versions(self) -> dict[str, str]: ...
    def load(self, command: Load) -> tuple[Session, Reply]: ...


class Server:
    """Holds the one session of a runner process and turns each line into a reply."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._session: Session | None = None
        self._greeted = False
        self.closed = False

    def answer_line(self, line: bytes) -> Reply:
        """Raises InvalidCommand where the line names no id that an answer could carry."""
        try:
            id, command = parse(_decode(line))
        except InvalidCommand as error:
            if error.id is None:
                raise
            return {"type": "error", "id": error.id, "code": "protocol-error", "message": str(error)}
        try:
            reply = self._answer(command)
        except Exception as error:  # noqa: BLE001  every failure of a library is an answer, and the sweep goes on
            if not isinstance(error, RunnerError):
                traceback.print_exc(file=sys.stderr)
            code, message = classify(error)
            reply = {"type": "error", "code": code, "message": message}
        return {**reply, "id": id}

    def _answer(self, command: Command) -> Reply:
        if isinstance(command, Hello):
            return self._hello(command)
        if isinstance(command, Close):
            if self._session is not None:
                self._session.close()
            self.closed = True
            return {"type": "closed"}
        if not self._greeted:
            raise RunnerError("protocol-error", "the first command must be hello")
        if isinstance(command, Load):
            if self._session is not None:
                raise RunnerError("protocol-error", "a model is loaded already; a runner loads one")
            self._session, loaded = self._runner.load(command)
            return {"type": "loaded", **loaded}
        if self._session is None:
            raise RunnerError("protocol-error", "no model is loaded yet")
        if isinstance(command, Prepare):
            return {"type": "prepared", **self._session.prepare(command)}
        if isinstance(command, Generate):
            return {"type": "generated", **self._session.generate(command)}
        return {"type": "teacherForced", **self._session.teacher_force(command)}

    def _hello(self, command: Hello) -> Reply:
        if command.protocol != PROTOCOL_VERSION:
            raise RunnerError(
                "protocol-error", f"this runner speaks protocol {PROTOCOL_VERSION}, asked for {command.protocol}"
            )
        self._greeted = True
        return {
            "type": "hello",
            "protocol": PROTOCOL_VERSION,
            "runner": self._runner.name,
            "versions": self._runner.versions(),
        }


def _decode(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        raise InvalidCommand(f"not JSON: {line[:120]!r}") from None


def answer_all(server: Server, commands: BinaryIO, send: Callable[[Reply], None]) -> int:
    """Answers until `close` or the end of the stream; the exit status of the process."""
    while not server.closed:
        line = commands.readline(MAX_LINE_BYTES + 1)
        if not line:
            return 0
        if len(line) > MAX_LINE_BYTES:
            print(f"a command of more than {MAX_LINE_BYTES} bytes", file=sys.stderr)
            return 2
        if not line.strip():
            continue
        try:
            send(server.answer_line(line))
        except InvalidCommand as error:
            # Without an id there is no way to answer: the exit and stderr say it.
            print(f"invalid command: {error}", file=sys.stderr)
            return 2
    return 0


def take_stdout() -> Callable[[Reply], None]:
    """Keeps the original stdout for replies and points descriptor 1 at stderr, so that no print can corrupt them."""
    sys.stdout.flush()
    stream = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)

    def send(reply: Reply) -> None:
        stream.write(json.dumps(reply, allow_nan=False, separators=(",", ":")).encode() + b"\n")
        stream.flush()

    return send


def end_with_parent() -> None:
    """A harness that was killed cannot stop a long computation, and the end of stdin is only seen between commands."""
    parent = os.getppid()
    if sys.platform == "linux":
        # Also while a library holds the interpreter and no thread of Python's gets its turn.
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def serve(runner: Runner) -> int:
    """The life of a runner process; returns its exit status."""
    send = take_stdout()
    end_with_parent()
    return answer_all(Server(runner), sys.stdin.buffer, send)
