"""`python -m ortbench_runners.fidelity.genai_loop`: the Generator loop of onnxruntime-genai's own examples."""

from __future__ import annotations

import sys
from time import perf_counter_ns
from typing import Any

import numpy as np

from ..commands import Load, Prompts
from ..genai import GenaiRunner, open_model
from ..protocol import serve
from .tool_runner import ToolSession, require_no_options


class GeneratorLoop:
    def __init__(self, model: Any, vocab_size: int) -> None:
        import onnxruntime_genai

        self._genai = onnxruntime_genai
        self._model = model
        self.vocab_size = vocab_size

    def run(self, prompts: Prompts, generate: int, capacity: int) -> dict[str, Any]:
        """`append_tokens` is prefill. The first `generate_next_token` only selects, each later one runs the model first:
        the first one's time is taken off the others. Tokens are read after the last call, outside of every time."""
        params = self._genai.GeneratorParams(self._model)
        params.set_search_options(max_length=capacity, batch_size=len(prompts))
        generator = self._genai.Generator(self._model, params)
        ids = np.array(prompts, dtype=np.int32)

        start = perf_counter_ns()
        generator.append_tokens(ids)
        prefilled = perf_counter_ns()
        generator.generate_next_token()
        select_ns = perf_counter_ns() - prefilled
        whole_ns: list[int] = []
        for _ in range(generate - 1):
            before = perf_counter_ns()
            generator.generate_next_token()
            whole_ns.append(perf_counter_ns() - before)
        end = perf_counter_ns()

        length = len(prompts[0])
        sequences = [generator.get_sequence(row)[length:] for row in range(len(prompts))]
        return {
            "prefillNs": prefilled - start,
            "stepNs": [max(0, ns - select_ns) for ns in whole_ns],
            "selectNs": [select_ns] * generate,
            "tokens": [[int(id) for id in row] for row in sequences],
            "wallNs": end - start,
        }

    def compilations(self) -> int:
        return 0

    def effective(self) -> dict[str, Any]:
        return {"selectionTime": "that of the first call of each run, which only selects"}

    def close(self) -> None:
        self._model = None


class GenaiLoopRunner:
    name = "genai-generator-loop"

    def versions(self) -> dict[str, str]:
        return GenaiRunner().versions()

    def load(self, command: Load) -> tuple[ToolSession, dict[str, Any]]:
        require_no_options(command)
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
