"""Entry point: a line of JSON in, a line of JSON out, until stdin ends."""

from __future__ import annotations

import errno
import json
import os
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from .errors import PrepareError

Verb = Callable[[dict[str, Any]], dict[str, Any]]


# Each verb imports what it needs: the libraries take seconds to load.
def checkpoint(request: dict[str, Any]) -> dict[str, Any]:
    from .checkpoint import make_checkpoint

    return make_checkpoint(request)


def onnx(request: dict[str, Any]) -> dict[str, Any]:
    from .onnx_export import make_onnx
    from .verify import require_constants

    return require_constants("onnx", request, make_onnx(request))


def gguf(request: dict[str, Any]) -> dict[str, Any]:
    from .gguf_export import make_gguf
    from .verify import require_constants

    return require_constants("gguf", request, make_gguf(request))


def verify(request: dict[str, Any]) -> dict[str, Any]:
    from .verify import verify_artefact

    return verify_artefact(request)


VERBS: dict[str, Verb] = {"checkpoint": checkpoint, "onnx": onnx, "gguf": gguf, "verify": verify}


def answer(line: str) -> dict[str, Any]:
    """A request that cannot be met is a reply; anything unforeseen is a traceback and the end."""
    message = json.loads(line)
    try:
        return {"ok": True, **VERBS[message["verb"]](message["request"])}
    except PrepareError as error:
        return {"ok": False, "code": error.code, "message": str(error), "hint": error.hint}
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        hint = "make room, or name a folder with more of it in ORTBENCH_CACHE"
        return {"ok": False, "code": "no-space", "message": f"the disk is full: {error}", "hint": hint}


def end_with_parent() -> None:
    """A harness that was killed cannot stop this process: notice the new parent and end."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def main() -> None:
    # Libraries print to stdout, from Python and from C: keep the original for the replies alone.
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    end_with_parent()
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    for line in sys.stdin:
        replies.write(json.dumps(answer(line)) + "\n")
        replies.flush()


if __name__ == "__main__":
    main()
