"""A scripted engine and clock: the protocol and the decode loop without any library."""

from __future__ import annotations

import json
from array import array
from contextlib import AbstractContextManager, nullcontext
from typing import Any

from ortbench_runners.commands import Load, Prompts
from ortbench_runners.errors import RunnerError
from ortbench_runners.session import DecodeSession

VOCAB = 8


class FakeClock:
    """Every reading is 1000 ns after the one before; work adds to it."""

    def __init__(self) -> None:
        self.now = 0

    def __call__(self) -> int:
        self.now += 1000
        return self.now


class FakeDecoder:
    """Answers the token after the last one, modulo the vocabulary; writes down every call."""

    vocab_size = VOCAB

    def __init__(self, clock: FakeClock, options: dict[str, Any]) -> None:
        self.calls: list[str] = []
        self.capacity = 0
        self._clock = clock
        self._options = options
        self._compiled = 0
        self._shapes: set[tuple[int, int]] = set()

    def running(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def begin(self, prompts: Prompts, capacity: int) -> None:
        self.calls.append("begin")
        self._clock.now += 50_000
        self.capacity = capacity
        self._prompts = prompts

    def prefill(self) -> list[list[float]]:
        self.calls.append("prefill")
        self._clock.now += 7_000
        shape = (len(self._prompts), max(map(len, self._prompts)))
        if shape not in self._shapes or self._options.get("neverSettles"):
            self._shapes.add(shape)
            self._compiled += self._options.get("graphs", 0)
            self._clock.now += 1_000_000 * self._options.get("graphs", 0)
        return [self._row(prompt[-1]) for prompt in self._prompts]

    def decode_one_token(self, ids: list[int]) -> list[list[float]]:
        self.calls.append("step")
        self._clock.now += 3_000
        return [self._row(id) for id in ids]

    def select(self, logits: list[list[float]]) -> list[int]:
        self.calls.append("select")
        self._clock.now += 500
        return [row.index(max(row)) for row in logits]

    def forced(self, ids: list[int]) -> list[int]:
        return ids

    def token_ids(self, ids: list[int]) -> list[int]:
        return ids

    def chosen_logits(self, logits: list[list[float]], ids: list[int]) -> array[float]:
        return array("d", [row[id] for row, id in zip(logits, ids)])

    def float32_rows(self, logits: list[list[float]]) -> bytes:
        import struct

        return b"".join(struct.pack(f"<{VOCAB}f", *row) for row in logits)

    def synchronise(self) -> None:
        self.calls.append("synchronise")
        self._clock.now += 11

    def compilations(self) -> int:
        return self._compiled

    def reset_device_peak(self) -> None:
        self.calls.append("reset")

    def device_peak_bytes(self) -> int | None:
        return 4096

    def effective(self) -> dict[str, Any]:
        return {"attention": "scripted"}

    def close(self) -> None:
        self.calls.append("close")

    def _row(self, id: int) -> list[float]:
        fault = self._options.get("fault")
        if fault == "out of memory":
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 99 bytes")
        if fault == "wrong":
            raise ValueError("scripted")
        if fault == "nan":
            return [float("nan")] * VOCAB
        return [float(candidate == (id + 1) % VOCAB) for candidate in range(VOCAB)]


class FakeRunner:
    name = "fake"

    def __init__(self, clock: FakeClock) -> None:
        self._clock = clock
        self.decoder: FakeDecoder | None = None

    def versions(self) -> dict[str, str]:
        return {"fake": "1"}

    def load(self, command: Load) -> tuple[DecodeSession, dict[str, Any]]:
        if command.precision == "int4":
            raise RunnerError("unsupported", "the fake runner has no int4")
        self.decoder = FakeDecoder(self._clock, command.options)
        loaded = {"loadNs": 5, "vocabSize": VOCAB, "versions": {}, "effective": {"threads": command.threads}}
        return DecodeSession(self.decoder), loaded


def line(command: dict[str, Any]) -> bytes:
    return json.dumps(command).encode()


def load_command(**changed: Any) -> dict[str, Any]:
    return {
        "type": "load",
        "id": 1,
        "model": "m",
        "artefactDir": "/nowhere",
        "precision": "fp32",
        "device": "cpu",
        "threads": 2,
        "maxBatchSize": 2,
        "maxSequenceLength": 16,
        "options": {},
    } | changed
