"""Errors as the harness knows them: a code of its closed list and a message for the report."""

from __future__ import annotations

CODES = ("unavailable", "unsupported", "failed", "oom", "timeout", "crashed", "killed", "protocol-error")

# How the libraries word a failed allocation when they raise no type of their own for it.
_OUT_OF_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "cannot allocate memory",
    "not enough memory",
    "failed to allocate memory",
    "bad_alloc",
    "bad allocation",
)
_MAX_MESSAGE = 2000


class RunnerError(Exception):
    """A piece of work that cannot be done; becomes an `error` reply and the cell's status and reason."""

    def __init__(self, code: str, message: str) -> None:
        if code not in CODES:
            raise ValueError(f"no error code {code!r}")
        super().__init__(message)
        self.code = code


def classify(error: BaseException) -> tuple[str, str]:
    """The code and message under which any exception is reported. `oom` only where the library says so."""
    if isinstance(error, RunnerError):
        return error.code, str(error)
    text = str(error).strip()
    message = f"{type(error).__name__}: {text}"[:_MAX_MESSAGE]
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return "oom", message
    if isinstance(error, (RuntimeError, OSError)) and any(words in text.lower() for words in _OUT_OF_MEMORY):
        return "oom", message
    return "failed", message
