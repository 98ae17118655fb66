"""`python -m ortbench_runners.genai`: onnxruntime-genai behind the runner protocol."""

from __future__ import annotations

import json
import sys
import tempfile
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from importlib import metadata
from pathlib import Path
from time import perf_counter_ns
from typing import Any

import numpy as np

from .commands import Load, Prompts
from .errors import RunnerError
from .external_data import require_contained
from .protocol import serve
from .session import DecodeSession

# By device: what ONNX Runtime's provider computes in without casting up.
PRECISIONS = {"cpu": ("fp32", "int4"), "cuda": ("fp16", "bf16", "int4")}
PROVIDER = {"cpu": "CPUExecutionProvider", "cuda": "CUDAExecutionProvider"}
CONFIG = "genai_config.json"
# For padding: genai masks what looks like it at the end of a prompt.
NO_TOKEN = -1


def overlay(threads: int) -> dict[str, Any]:
    """What is set over the artefact's own genai_config.json."""
    return {
        "model": {"decoder": {"session_options": {"intra_op_num_threads": threads, "inter_op_num_threads": 1}}},
        "search": {"past_present_share_buffer": True, "do_sample": False, "num_beams": 1},
    }


def activations(artefact: Path, precision: str, device: str) -> str:
    """MatMulNBits at accuracy level 4 quantises its inputs to int8, in blocks; at the other levels they stay fp32. The
    graphs for CUDA compute in half precision throughout."""
    if precision != "int4":
        return precision
    if device == "cuda":
        return "fp16"
    try:
        level = json.loads((artefact / "ortbench.json").read_text())["quantisation"]["accuracyLevel"]
    except (OSError, ValueError, KeyError, TypeError):
        raise RunnerError("failed", f"{artefact} does not say its accuracy level; prepare it again") from None
    if level == 4:
        return "int8 in matrix products (accuracy level 4), fp32 elsewhere"
    return f"fp32 (accuracy level {level})"


def artefact_facts(artefact: Path) -> dict[str, Any]:
    """Types of the embedding's table and of the matrix before the logits, and the window of the attention, as prepare
    read them from the graph that it made; nothing for a model that it did not make."""
    described = artefact / "ortbench.json"
    facts = json.loads(described.read_text()) if described.exists() else {}
    if "headType" not in facts:
        return {}
    types = {name: facts[name] for name in ("embeddingType", "headType")}
    return types | {"slidingWindow": facts.get("slidingWindow", "none")}


def end_of_sequence(vocab_size: int) -> int:
    """genai ends a row at some token of the vocabulary, with none named at the one for padding. The last is mostly one that
    no text has, so that models hardly choose it."""
    return vocab_size - 1


@contextmanager
def without_end_of_sequence(folder: Path, described: dict[str, Any], vocab_size: int) -> Iterator[Path]:
    """The folder with a configuration that names no end of the model's own: it would stop a row early and pad the rest.

    An overlay can change that token but not remove the others, so the configuration is replaced beside links to the files.
    """
    with tempfile.TemporaryDirectory(prefix="ortbench-genai-") as temporary:
        for file in folder.iterdir():
            if file.name != CONFIG:
                (Path(temporary) / file.name).symlink_to(file.resolve())
        end = end_of_sequence(vocab_size)
        model = described["model"] | {"eos_token_id": [end], "pad_token_id": NO_TOKEN}
        (Path(temporary) / CONFIG).write_text(json.dumps(described | {"model": model}))
        yield Path(temporary)


class GenaiDecoder:
    """The generator of onnxruntime-genai, taken apart into the phases of spec/metrics.

    `append_tokens` runs the prompt. `generate_next_token` then only selects, because logits are there; the next
    `get_logits` runs the forward of the selected ids and copies their logits out.
    """

    def __init__(self, model: Any, vocab_size: int) -> None:
        import onnxruntime_genai

        self._genai = onnxruntime_genai
        self._model = model
        self.vocab_size = vocab_size
        self._generator: Any = None
        self._logits_positions = 0

    def running(self) -> AbstractContextManager[Any]:
        return nullcontext()

    def begin(self, prompts: Prompts, capacity: int) -> None:
        if len({len(row) for row in prompts}) > 1:
            raise RunnerError("unsupported", "onnxruntime-genai's grouped attention takes no padding before a prompt")
        # The generator before holds KV buffers of its own: gone before new ones are made.
        self._generator = None
        params = self._genai.GeneratorParams(self._model)
        params.set_search_options(max_length=capacity, batch_size=len(prompts))
        self._generator = self._genai.Generator(self._model, params)
        self._prompt = np.array(prompts, dtype=np.int32)
        self._fed: list[np.ndarray] = []
        self._selected: np.ndarray | None = None

    def prefill(self) -> np.ndarray:
        self._generator.append_tokens(self._prompt)
        return self._read_logits()

    def decode_one_token(self, ids: np.ndarray) -> np.ndarray:
        self._fed.append(ids)
        if ids is not self._selected:
            self._force(ids)
        return self._read_logits()

    def select(self, logits: np.ndarray) -> np.ndarray:
        """The engine's own greedy search over the logits that it still holds."""
        self._generator.generate_next_token()
        self._selected = self._generator.get_next_tokens()
        return self._selected

    def forced(self, ids: list[int]) -> np.ndarray:
        return np.array(ids, dtype=np.int32)

    def token_ids(self, ids: np.ndarray) -> list[int]:
        return ids.tolist()

    def chosen_logits(self, logits: np.ndarray, ids: np.ndarray) -> np.ndarray:
        if NO_TOKEN in ids:
            end = end_of_sequence(self.vocab_size)
            raise RunnerError("failed", f"a sequence chose token {end}, after which onnxruntime-genai only pads it")
        return np.take_along_axis(logits, ids[:, None].astype(np.int64), axis=1)[:, 0]

    def float32_rows(self, logits: np.ndarray) -> bytes:
        return np.ascontiguousarray(logits, dtype="<f4").tobytes()

    def synchronise(self) -> None:
        """`get_logits` copies them to the host, for which it waits for the device."""

    def compilations(self) -> int:
        return 0

    def reset_device_peak(self) -> None: ...

    def device_peak_bytes(self) -> int | None:
        return None

    def effective(self) -> dict[str, Any]:
        return {"logitsScope": "last position" if self._logits_positions == 1 else "all positions"}

    def close(self) -> None:
        self._generator = None
        self._model = None

    def _read_logits(self) -> np.ndarray:
        logits = self._generator.get_logits()
        self._logits_positions = max(self._logits_positions if self._selected is not None else 0, logits.shape[1])
        return logits[:, -1]

    def _force(self, ids: np.ndarray) -> None:
        """Only one batch of tokens can be appended; logits that leave one choice say the same for every batch size."""
        if end_of_sequence(self.vocab_size) in ids:
            # A row would be padded from here on. What is appended to an empty sequence ends nothing.
            self._generator.rewind_to(0)
            self._generator.append_tokens(np.column_stack([self._prompt, *self._fed]).astype(np.int32))
            return
        only = np.zeros((len(ids), 1, self.vocab_size), dtype=np.float32)
        only[np.arange(len(ids)), 0, ids] = 1
        self._generator.set_logits(only)
        self._generator.generate_next_token()


def open_model(command: Load) -> tuple[Any, int, int]:
    """The model, the size of its vocabulary, and the nanoseconds that loading it took."""
    if command.device not in PRECISIONS:
        raise RunnerError("unsupported", f"genai has no {command.device} provider here")
    if command.precision not in PRECISIONS[command.device]:
        known = ", ".join(PRECISIONS[command.device])
        raise RunnerError("unsupported", f"genai is driven on {command.device} in {known} only")
    folder = Path(command.artefactDir) / "genai"
    try:
        described = json.loads((folder / CONFIG).read_text())
        vocab_size = int(described["model"]["vocab_size"])
    except (OSError, ValueError, KeyError, TypeError):
        raise RunnerError("failed", f"no {CONFIG} that names a vocabulary in {folder}") from None
    for model_file in sorted(folder.glob("*.onnx")):
        require_contained(model_file)
    import onnxruntime_genai

    if command.device == "cuda" and not onnxruntime_genai.is_cuda_available():
        raise RunnerError("unavailable", "this onnxruntime-genai was built without CUDA, or finds no device")
    start = perf_counter_ns()
    with without_end_of_sequence(folder, described, vocab_size) as config_folder:
        config = onnxruntime_genai.Config(str(config_folder))
        config.overlay(json.dumps(overlay(command.threads)))
        model = onnxruntime_genai.Model(config)
    return model, vocab_size, perf_counter_ns() - start


class GenaiRunner:
    name = "genai"

    def versions(self) -> dict[str, str]:
        return {
            "python": sys.version.split()[0],
            "onnxruntime-genai": metadata.version("onnxruntime-genai"),
            "onnxruntime": metadata.version("onnxruntime"),
        }

    def load(self, command: Load) -> tuple[DecodeSession, dict[str, Any]]:
        if command.options:
            raise RunnerError("failed", f"genai has no option {sorted(command.options)[0]!r}")
        model, vocab_size, load_ns = open_model(command)
        return DecodeSession(GenaiDecoder(model, vocab_size)), {
            "loadNs": load_ns,
            "vocabSize": vocab_size,
            "versions": self.versions(),
            "effective": {
                "provider": PROVIDER[command.device],
                "weights": command.precision,
                "activations": activations(Path(command.artefactDir), command.precision, command.device),
                **artefact_facts(Path(command.artefactDir)),
                "threads": command.threads,
                "interopThreads": 1,
                "kvCache": "shared buffer of the cell's capacity",
                "selection": "onnxruntime-genai's greedy search",
                "telemetry": "off",
            },
        }


def main() -> int:
    return serve(GenaiRunner())


if __name__ == "__main__":
    sys.exit(main())
