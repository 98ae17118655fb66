"""What the tools share behind the runner protocol: they are measured as a whole, not taken apart into a decoder."""

from __future__ import annotations

import gc
from typing import Any, Protocol

from ..commands import Generate, Load, Prepare, Prompts, TeacherForce
from ..errors import RunnerError

MAX_PREPARING_RUNS = 10


class Tool(Protocol):
    """One run of the tool as its users write it, timed by this process's monotonic clock."""

    vocab_size: int

    def run(self, prompts: Prompts, generate: int, capacity: int) -> dict[str, Any]:
        """The fields prefillNs, stepNs, selectNs, tokens and wallNs of a `generated` reply."""

    def compilations(self) -> int: ...
    def effective(self) -> dict[str, Any]: ...
    def close(self) -> None: ...


class ToolSession:
    def __init__(self, tool: Tool) -> None:
        self._tool = tool
        gc.collect()
        gc.freeze()

    def prepare(self, command: Prepare) -> dict[str, Any]:
        """Runs the shape until a run compiles nothing."""
        row = [i % self._tool.vocab_size for i in range(command.promptLength)]
        run = Generate(
            prompts=[row] * command.batchSize,
            generate=command.generate,
            capacity=command.promptLength + command.generate,
            measurePeakMemory=False,
        )
        compile_ns = 0
        for _ in range(MAX_PREPARING_RUNS):
            result = self.generate(run)
            if result["recompiles"] == 0:
                return {"compileNs": max(0, compile_ns), "effective": self._tool.effective()}
            compile_ns += result["wallNs"]
        raise RunnerError("failed", f"the shape was still being compiled after {MAX_PREPARING_RUNS} runs")

    def generate(self, command: Generate) -> dict[str, Any]:
        if len({len(row) for row in command.prompts}) != 1:
            raise RunnerError("unsupported", "the tools are measured on prompts of equal length only")
        if len(command.prompts[0]) + command.generate > command.capacity:
            raise RunnerError("failed", f"the run does not fit in a capacity of {command.capacity}")
        before = self._tool.compilations()
        # As the drivers are timed: a collection belongs to no step.
        gc.collect()
        gc.disable()
        try:
            result = self._tool.run(command.prompts, command.generate, command.capacity)
        finally:
            gc.enable()
        recompiles = self._tool.compilations() - before
        return result | {"recompiles": recompiles, "peakRssBytes": None, "peakDeviceBytes": None}

    def teacher_force(self, command: TeacherForce) -> dict[str, Any]:
        raise RunnerError("unsupported", "a tool is timed only; its engine's driver is what parity is checked of")

    def close(self) -> None:
        self._tool.close()


def require_no_options(command: Load) -> None:
    if command.options:
        raise RunnerError("failed", f"the tool has no option {sorted(command.options)[0]!r}")
