"""The commands of the runner protocol, checked as strictly as src/schema/protocol.ts checks them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PROTOCOL_VERSION = 1
PRECISIONS = ("fp32", "fp16", "bf16", "int4")
DEVICES = ("cpu", "cuda", "webgpu")

Prompts = list[list[int]]


@dataclass(frozen=True)
class Hello:
    protocol: int


@dataclass(frozen=True)
class Load:
    model: str
    artefactDir: str
    precision: str
    device: str
    threads: int
    maxBatchSize: int
    maxSequenceLength: int
    options: dict[str, Any]


@dataclass(frozen=True)
class Prepare:
    batchSize: int
    promptLength: int
    generate: int


@dataclass(frozen=True)
class Generate:
    prompts: Prompts
    generate: int
    capacity: int
    measurePeakMemory: bool


@dataclass(frozen=True)
class TeacherForce:
    prompts: Prompts
    continuation: Prompts
    logitsFile: str


@dataclass(frozen=True)
class Close:
    pass


Command = Hello | Load | Prepare | Generate | TeacherForce | Close


class InvalidCommand(Exception):
    """A line that is no command. `id` is its id where it has one, so that the answer can name it."""

    def __init__(self, message: str, id: int | None = None) -> None:
        super().__init__(message)
        self.id = id


def _integer(minimum: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        # bool is an int to Python, and not to JSON.
        valid = isinstance(value, int) and not isinstance(value, bool) and value >= minimum
        return None if valid else f"an integer of at least {minimum}"

    return check


def _member(members: tuple[str, ...]) -> Callable[[Any], str | None]:
    return lambda value: None if value in members else f"one of {', '.join(members)}"


def _instance(kind: type, name: str) -> Callable[[Any], str | None]:
    return lambda value: None if isinstance(value, kind) else name


def _token_ids(value: Any) -> str | None:
    is_id = _integer(0)
    valid = isinstance(value, list) and all(
        isinstance(row, list) and all(is_id(token) is None for token in row) for row in value
    )
    return None if valid else "a list of lists of token ids"


_text, _flag, _object = _instance(str, "a string"), _instance(bool, "true or false"), _instance(dict, "an object")

_COMMANDS: dict[str, tuple[type, dict[str, Callable[[Any], str | None]]]] = {
    "hello": (Hello, {"protocol": lambda v: None if type(v) is int else "an integer"}),
    "load": (
        Load,
        {
            "model": _text,
            "artefactDir": _text,
            "precision": _member(PRECISIONS),
            "device": _member(DEVICES),
            "threads": _integer(1),
            "maxBatchSize": _integer(1),
            "maxSequenceLength": _integer(2),
            "options": _object,
        },
    ),
    "prepare": (Prepare, {"batchSize": _integer(1), "promptLength": _integer(1), "generate": _integer(1)}),
    "generate": (
        Generate,
        {"prompts": _token_ids, "generate": _integer(1), "capacity": _integer(2), "measurePeakMemory": _flag},
    ),
    "teacherForce": (TeacherForce, {"prompts": _token_ids, "continuation": _token_ids, "logitsFile": _text}),
    "close": (Close, {}),
}


def parse(message: Any) -> tuple[int, Command]:
    """The id and command of a decoded line; raises InvalidCommand with the first thing that is wrong."""
    if not isinstance(message, dict):
        raise InvalidCommand("a command is an object")
    id = message.get("id")
    if _integer(0)(id) is not None:
        raise InvalidCommand("id: needs an integer of at least 0")
    kind = message.get("type")
    if not isinstance(kind, str) or kind not in _COMMANDS:
        raise InvalidCommand(f"type: {str(kind)[:40]!r} is no command", id)
    make, checks = _COMMANDS[kind]
    fields = {name: value for name, value in message.items() if name not in ("id", "type")}
    for name in fields:
        if name not in checks:
            raise InvalidCommand(f"{kind}: unknown field {name[:40]!r}", id)
    for name, check in checks.items():
        if name not in fields:
            raise InvalidCommand(f"{kind}.{name}: missing", id)
        wanted = check(fields[name])
        if wanted is not None:
            raise InvalidCommand(f"{kind}.{name}: needs {wanted}", id)
    return id, make(**fields)
