"""`python -m ortbench_runners.pytorch --mode eager|compile`: PyTorch behind the runner protocol."""

from __future__ import annotations

import argparse
import sys
from importlib import metadata
from time import perf_counter_ns
from typing import Any

from .commands import Load
from .errors import RunnerError
from .protocol import serve
from .session import DecodeSession

OPTIONS = {"eager": set(), "compile": {"mode", "freezing"}}


class PytorchRunner:
    def __init__(self, mode: str) -> None:
        self._mode = mode
        self.name = f"pytorch-{mode}"

    def versions(self) -> dict[str, str]:
        # From the packages' metadata: importing them takes seconds, and belongs to loading.
        return {"python": sys.version.split()[0], "torch": metadata.version("torch")}

    def load(self, command: Load) -> tuple[DecodeSession, dict[str, Any]]:
        unknown = command.options.keys() - OPTIONS[self._mode]
        if unknown:
            raise RunnerError("failed", f"{self.name} has no option {sorted(unknown)[0]!r}")
        if self._mode == "eager":
            from . import torch_eager as engine
        else:
            from . import torch_compile as engine
        from .torch_model import library_versions

        start = perf_counter_ns()
        decoder, effective = engine.load(command)
        load_ns = perf_counter_ns() - start
        return DecodeSession(decoder), {
            "loadNs": load_ns,
            "vocabSize": decoder.vocab_size,
            "versions": library_versions(),
            "effective": effective,
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ortbench_runners.pytorch")
    parser.add_argument("--mode", choices=sorted(OPTIONS), required=True)
    return serve(PytorchRunner(parser.parse_args().mode))


if __name__ == "__main__":
    sys.exit(main())
