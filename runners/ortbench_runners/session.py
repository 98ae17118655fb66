"""The one decode loop of all Python engines: every one of them is timed by the same lines, as spec/metrics defines."""

from __future__ import annotations

import gc
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from time import perf_counter_ns
from typing import Any, Protocol

from . import memory
from .commands import Generate, Prepare, Prompts, TeacherForce
from .errors import RunnerError

Ids = Any  # B token ids in host memory, in whatever form the engine's step takes them
Logits = Any  # B rows of logits that the host can read


class Decoder(Protocol):
    """What an engine supplies; nothing of it keeps time."""

    vocab_size: int

    def running(self) -> AbstractContextManager[Any]:
        """What all that follows, to the end of a run, is called within: entered once, not in each step."""

    def begin(self, prompts: Prompts, capacity: int) -> None:
        """Allocates and clears the KV cache for `capacity` tokens per sequence, and builds the prompt. Untimed."""

    def prefill(self) -> Logits:
        """Prompt ids → logits of the last position of each sequence."""

    def decode_one_token(self, ids: Ids) -> Logits:
        """Feeds one id per sequence; the logits after it."""

    def select(self, logits: Logits) -> Ids:
        """Greedy choice per row; the lowest id wins a tie."""

    def forced(self, ids: list[int]) -> Ids:
        """Ids that were not selected, in the form that `decode_one_token` takes."""

    def token_ids(self, ids: Ids) -> list[int]: ...

    def chosen_logits(self, logits: Logits, ids: Ids) -> Any:
        """The logit of each chosen id, not a finite number where a row holds none; in a form with `tolist`."""

    def float32_rows(self, logits: Logits) -> bytes:
        """float32 little-endian, [batch × vocab] row-major."""

    def synchronise(self) -> None:
        """Returns when the device has finished all work given to it."""

    def compilations(self) -> int:
        """Graphs compiled so far in this process; 0 for engines that do not compile."""

    def reset_device_peak(self) -> None: ...

    def device_peak_bytes(self) -> int | None: ...

    def effective(self) -> dict[str, Any]:
        """Facts that depend on the shape of the run begun last."""

    def close(self) -> None: ...


# Preparing must settle: a graph that is compiled again on every run would be compiled while timing, too.
MAX_PREPARING_RUNS = 10


@contextmanager
def _without_garbage_collection() -> Iterator[None]:
    # As the standard library's timeit does: a collection belongs to no step.
    was_enabled = gc.isenabled()
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _keep_for_good() -> None:
    # The libraries and the model stay: without this, each collection before a run walks them all, which takes a third
    # of a second with PyTorch loaded.
    gc.collect()
    gc.freeze()


class DecodeSession:
    """A loaded model behind the protocol."""

    def __init__(self, decoder: Decoder) -> None:
        self._decoder = decoder
        _keep_for_good()

    def prepare(self, command: Prepare) -> dict[str, Any]:
        """Runs the shape until nothing is compiled any more; compileNs is what those runs took longer than the last."""
        row = [i % self._decoder.vocab_size for i in range(command.promptLength)]
        run = Generate(
            prompts=[row] * command.batchSize,
            generate=min(3, command.generate),
            capacity=max(2, command.promptLength + command.generate),
            measurePeakMemory=False,
        )
        compiling: list[int] = []
        for _ in range(MAX_PREPARING_RUNS):
            start = perf_counter_ns()
            result = self.generate(run)
            spent = perf_counter_ns() - start
            if result["recompiles"] == 0:
                with self._decoder.running():
                    effective = {"garbageCollection": "off while timing", **self._decoder.effective()}
                _keep_for_good()
                compile_ns = sum(max(0, ns - spent) for ns in compiling)
                return {"compileNs": compile_ns, "effective": effective}
            compiling.append(spent)
        raise RunnerError("failed", f"the shape was still being compiled after {MAX_PREPARING_RUNS} runs")

    def generate(self, command: Generate) -> dict[str, Any]:
        """One run: prefill, then one forward for each further token. Times in ns of this process's monotonic clock."""
        self._check_prompts(command.prompts)
        longest = max(len(row) for row in command.prompts)
        # The last token is returned and not fed, yet the capacity of a cell counts it.
        if longest + command.generate > command.capacity:
            raise RunnerError(
                "failed", f"{longest} + {command.generate} tokens do not fit in a capacity of {command.capacity}"
            )
        with self._decoder.running():
            return self._run(command)

    def _run(self, command: Generate) -> dict[str, Any]:
        decoder = self._decoder
        measure_peak = command.measurePeakMemory and memory.reset_peak()
        if command.measurePeakMemory:
            decoder.reset_device_peak()
        compilations = decoder.compilations()
        decoder.begin(command.prompts, command.capacity)

        step_ns: list[int] = []
        select_ns: list[int] = []
        kept: list[tuple[Ids, Any]] = []

        def select(logits: Logits) -> tuple[Ids, int]:
            start = perf_counter_ns()
            ids = decoder.select(logits)
            end = perf_counter_ns()
            select_ns.append(end - start)
            # Turned into numbers after the last step: between two steps nothing more than needed is done.
            kept.append((ids, decoder.chosen_logits(logits, ids)))
            return ids, end

        with _without_garbage_collection():
            decoder.synchronise()
            start = perf_counter_ns()
            logits = decoder.prefill()
            decoder.synchronise()
            prefill_ns = perf_counter_ns() - start
            ids, last = select(logits)
            for _ in range(command.generate - 1):
                before = perf_counter_ns()
                logits = decoder.decode_one_token(ids)
                decoder.synchronise()
                step_ns.append(perf_counter_ns() - before)
                ids, last = select(logits)
        return {
            "prefillNs": prefill_ns,
            "stepNs": step_ns,
            "selectNs": select_ns,
            "tokens": self._tokens(kept, len(command.prompts)),
            "recompiles": decoder.compilations() - compilations,
            "wallNs": last - start,
            "peakRssBytes": memory.peak_rss_bytes() if measure_peak else None,
            "peakDeviceBytes": decoder.device_peak_bytes() if command.measurePeakMemory else None,
        }

    def teacher_force(self, command: TeacherForce) -> dict[str, Any]:
        """Writes the logits after the prompts and after each forced token: float32, [steps + 1][batch][vocab]."""
        decoder = self._decoder
        self._check_prompts(command.prompts)
        steps = len(command.continuation[0]) if command.continuation else 0
        if len(command.continuation) != len(command.prompts) or any(len(row) != steps for row in command.continuation):
            raise RunnerError("failed", "teacher forcing needs one continuation of equal length for each sequence")
        if steps == 0:
            raise RunnerError("failed", "teacher forcing needs a continuation of at least one token")
        self._check_ids(command.continuation)
        capacity = max(len(row) for row in command.prompts) + steps + 1
        with decoder.running(), open(command.logitsFile, "wb") as file:
            decoder.begin(command.prompts, capacity)
            file.write(decoder.float32_rows(decoder.prefill()))
            for step in range(steps):
                ids = decoder.forced([row[step] for row in command.continuation])
                file.write(decoder.float32_rows(decoder.decode_one_token(ids)))
        return {"steps": steps, "vocabSize": decoder.vocab_size}

    def close(self) -> None:
        self._decoder.close()

    def _tokens(self, kept: list[tuple[Ids, Any]], sequences: int) -> list[list[int]]:
        tokens: list[list[int]] = [[] for _ in range(sequences)]
        for ids, values in kept:
            for row, (id, value) in enumerate(zip(self._decoder.token_ids(ids), values.tolist())):
                if not math.isfinite(value):
                    raise RunnerError("failed", f"the logits of sequence {row} are not finite numbers")
                tokens[row].append(id)
        return tokens

    def _check_prompts(self, prompts: Prompts) -> None:
        if not prompts or any(not row for row in prompts):
            raise RunnerError("failed", "every sequence needs a prompt of at least one token")
        self._check_ids(prompts)

    def _check_ids(self, rows: Prompts) -> None:
        largest = max(max(row) for row in rows)
        if largest >= self._decoder.vocab_size:
            raise RunnerError(
                "failed", f"token id {largest} is not in the model's vocabulary of {self._decoder.vocab_size}"
            )
