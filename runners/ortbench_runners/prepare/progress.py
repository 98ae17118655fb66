"""Progress goes to stderr under a prefix, so that the caller can tell it from what libraries print there."""

from __future__ import annotations

import sys

PREFIX = "ortbench: "


def progress(line: str) -> None:
    print(f"{PREFIX}{line}", file=sys.stderr, flush=True)
