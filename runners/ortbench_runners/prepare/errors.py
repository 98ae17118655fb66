"""The one exception that becomes a reply instead of a traceback."""

from __future__ import annotations


class PrepareError(Exception):
    """A mistake in the request or its files (`user`), or a limit of a format or engine (`unsupported`)."""

    def __init__(self, message: str, *, hint: str | None = None, code: str = "user") -> None:
        super().__init__(message)
        self.code = code
        self.hint = hint
