"""`python -m ortbench_runners.fidelity.genai_loop`: the Generator loop of onnxruntime-genai's own examples."""

from __future__ import annotations

import atexit
import shutil
import sys
import tempfile
from importlib import metadata
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

from ..commands import Load, Prompts
from ..errors import RunnerError
from ..genai import open_model
from ..protocol import serve
from .tool_runner import ToolSession


class GeneratorLoop:
    def __init__(self, model: Any, vocab_size: int) -> None:
        import onnxruntime_genai

        self._genai = onnxruntime_genai
        self._model = model
        self.vocab_size = vocab_size

    def run(self, prompts: Prompts, generate: int, capacity: int) -> dict[str, Any]:
        """`append_tokens` and the first `generate_next_token`, which only selects, are prefill; each later call runs the
        model and selects. Tokens are read after the last call, outside of every time."""
        params = self._genai.GeneratorParams(self._model)
        params.set_search_options(max_length=capacity, batch_size=len(prompts))
        generator = self._genai.Generator(self._model, params)
        ids = np.array(prompts, dtype=np.int32)

        start = perf_counter_ns()
        generator.append_tokens(ids)
        generator.generate_next_token()
        prefill_ns = perf_counter_ns() - start
        step_ns: list[int] = []
        for _ in range(generate - 1):
            before = perf_counter_ns()
            generator.generate_next_token()
            step_ns.append(perf_counter_ns() - before)
        end = perf_counter_ns()

        length = len(prompts[0])
        sequences = [generator.get_sequence(row)[length:] for row in range(len(prompts))]
        return {
            "prefillNs": prefill_ns,
            "stepNs": step_ns,
            "selectNs": [0] * generate,
            "tokens": [[int(id) for id in row] for row in sequences],
            "wallNs": end - start,
        }

    def compilations(self) -> int:
        return 0

    def effective(self) -> dict[str, Any]:
        return {"selectionTime": "within prefill and steps"}

    def close(self) -> None:
        self._model = None


def load_library_as_package(library: Path) -> None:
    """onnxruntime-genai loads the library of the package `onnxruntime` that it finds: here one with the driver's library
    in it, so that both sides run the same build."""
    folder = Path(tempfile.mkdtemp(prefix="ortbench-onnxruntime-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    package = folder / "onnxruntime"
    (package / "capi").mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "capi" / "libonnxruntime.so").symlink_to(library.resolve(strict=True))
    sys.path.insert(0, str(folder))


class GenaiLoopRunner:
    name = "genai-generator-loop"

    def versions(self) -> dict[str, str]:
        return {"python": sys.version.split()[0], "onnxruntime-genai": metadata.version("onnxruntime-genai")}

    def load(self, command: Load) -> tuple[ToolSession, dict[str, Any]]:
        library = command.options.get("onnxruntimeLibrary")
        if library is None or len(command.options) > 1:
            raise RunnerError("failed", "the generator loop has one option, onnxruntimeLibrary")
        load_library_as_package(Path(library))
        model, vocab_size, load_ns = open_model(command)
        return ToolSession(GeneratorLoop(model, vocab_size)), {
            "loadNs": load_ns,
            "vocabSize": vocab_size,
            "versions": self.versions(),
            "effective": {"threads": command.threads, "kvCache": "shared buffer of the cell's capacity"},
        }


def main() -> int:
    return serve(GenaiLoopRunner())


if __name__ == "__main__":
    sys.exit(main())
