"""PyTorch with torch.compile: a static cache, one graph for a prompt shape and one for decoding a batch size."""

from __future__ import annotations

from typing import Any

import torch
from torch._dynamo.utils import counters

from . import memory
from .commands import Load, Prompts
from .errors import RunnerError
from .static_cache import ATTENTION, StaticKvCache, attention_window
from .torch_decoder import TorchDecoder, left_pad
from .torch_model import load_model

# How loops over the symbolic capacity are split over threads: one value, so that the code depends neither on the cell
# that came first nor on the sweep.
CAPACITY_HINT = 1024
AUTOTUNED = "max-autotune-no-cudagraphs"
# Modes that capture CUDA graphs on a CUDA device.
GRAPH_MODES = ("reduce-overhead", "max-autotune")
# Frozen graphs hold their weights packed for their kernels, as PyTorch advises for inference on a CPU: one more copy for
# each graph, which is made only while the copies of both phases take no more than this share of the free memory.
MOST_OF_FREE_MEMORY = 0.25
MODES = ("auto", "default", "reduce-overhead", "max-autotune-no-cudagraphs", "max-autotune")


def configure_dynamo() -> None:
    config = torch._dynamo.config
    # Each shape of a sweep is a compilation of its own; past a limit PyTorch would fall back to eager without a word.
    config.recompile_limit = 4096
    config.accumulated_recompile_limit = 65536
    config.fail_on_recompile_limit_hit = True
    # Which dimensions are symbolic is said where they are made, so that no graph depends on the order of the shapes.
    config.automatic_dynamic_shapes = False


def prefill(model, ids, positions, mask, cache):
    """Ids [B, P] → logits [B, vocab] of the last position; fills the cache from its start."""
    return _last_logits(model, ids, positions, mask, cache)


def decode_one_token(model, ids, padding, cache, window):
    """Ids [B, 1] at `cache.position` → logits [B, vocab]; mask and positions are made inside the graph."""
    columns = torch.arange(cache.layers[0].keys.shape[2], device=ids.device)
    mask = (columns <= cache.position) & (columns >= padding)
    if window is not None:
        mask &= columns > cache.position - window
    return _last_logits(model, ids, cache.position - padding, mask[:, None, None, :], cache)


def _last_logits(model, ids, positions, mask, cache):
    output = model(
        input_ids=ids,
        attention_mask=mask,
        position_ids=positions,
        past_key_values=cache,
        use_cache=True,
        logits_to_keep=1,
    )
    return output.logits[:, -1]


class CompiledDecoder(TorchDecoder):
    def __init__(
        self, model: torch.nn.Module, command: Load, dtype: torch.dtype, modes: tuple[str, str], freezing: bool
    ) -> None:
        super().__init__(model, command.device)
        self._dtype = dtype
        self._freezing = freezing
        self._frozen: dict[tuple[int, int], bool] = {}
        self._window = attention_window(model.config)
        self._cache: StaticKvCache | None = None
        self._key: tuple[int, int] | None = None
        # fullgraph: a part that cannot be compiled is an error, not a silent return to eager.
        self._prefill = torch.compile(prefill, mode=modes[0], fullgraph=True)
        self._decode = torch.compile(decode_one_token, mode=modes[1], fullgraph=True)

    def begin(self, prompts: Prompts, capacity: int) -> None:
        self._begun = prompts, capacity
        ids, padding = left_pad(prompts)
        batch_size, length = ids.shape
        self._freeze(batch_size, length)
        self._shape = batch_size, length
        self._use_cache(batch_size, capacity)
        columns = torch.arange(length)
        self._padding = padding[:, None].to(self.device)
        self._mask: torch.Tensor | None = None
        windowed = self._window is not None and self._window < length
        ragged = bool(padding.any())
        # One row serves a batch without padding: rotary embeddings are then made once for all of it.
        self._positions = (columns - padding[:, None]).clamp_min(0) if ragged else columns[None]
        if ragged or windowed:
            seen = (columns <= columns[:, None]) & (columns >= padding[:, None, None])
            if windowed:
                seen &= columns > columns[:, None] - self._window
            # Padding attends to itself: a row without any column would be no number.
            self._mask = (seen | (columns == columns[:, None]))[:, None].to(self.device)
        self._prompt, self._length = ids, length

    def prefill(self) -> torch.Tensor:
        cache = self._cache
        cache.set_prefilling(True)
        self._begin_step()
        logits = self._prefill(
            self.model, self._prompt.to(self.device), self._positions.to(self.device), self._mask, cache
        )
        cache.set_prefilling(False)
        cache.position.fill_(self._length)
        return logits.cpu()

    def decode_one_token(self, ids: torch.Tensor) -> torch.Tensor:
        cache = self._cache
        self._begin_step()
        logits = self._decode(self.model, ids.to(self.device), self._padding, cache, self._window)
        cache.position.add_(1)
        return logits.cpu()

    def _begin_step(self) -> None:
        """Lets a CUDA graph write over the logits of the run before, which lie in the host's memory by now."""
        if self.device.type == "cuda":
            torch.compiler.cudagraph_mark_step_begin()

    def compilations(self) -> int:
        return counters["stats"]["unique_graphs"]

    def effective(self) -> dict[str, Any]:
        inductor = counters["inductor"]
        return super().effective() | {
            "compiledGraphs": self.compilations(),
            # Weights as constants, packed for the kernels; not where the copies would crowd the memory.
            "frozenWeights": self._frozen[self._shape],
            # Inductor leaves CUDA graphs out where it must, and counts that.
            "cudaGraphsSkipped": inductor["cudagraph_skips"],
            # More hits than misses means that compileNs is the time to load code compiled in an earlier run.
            "compileCacheHits": inductor["fxgraph_cache_hit"],
            "compileCacheMisses": inductor["fxgraph_cache_miss"] + inductor["fxgraph_cache_bypass"],
        }

    def multiplying(self) -> list[torch.nn.Module]:
        return []

    def close(self) -> None:
        self._cache = None
        super().close()

    def _freeze(self, batch_size: int, length: int) -> None:
        """Says, before a shape is compiled, whether its graphs may have copies of the weights: PyTorch never frees them."""
        if (batch_size, length) not in self._frozen:
            copy_bytes = sum(parameter.nbytes for parameter in self.model.parameters())
            fits = 2 * copy_bytes <= MOST_OF_FREE_MEMORY * (memory.available_bytes() or float("inf"))
            self._frozen[batch_size, length] = self._freezing and fits
        torch._inductor.config.freezing = self._frozen[batch_size, length]

    def _use_cache(self, batch_size: int, capacity: int) -> None:
        """Keeps the buffers of the shape that was used last, and no others."""
        if self._key == (batch_size, capacity):
            self._cache.clear()
            return
        self._cache = self._key = None
        self._cache = StaticKvCache(self.model.config, batch_size, capacity, self._dtype, self.device)
        self._key = (batch_size, capacity)
        for layer in self._cache.layers:
            for buffer in (layer.keys, layer.values):
                # Attention is a library call and the rest touches single rows: a fixed capacity would make no better
                # code, only the same graph again for every prompt length.
                if self.device.type == "cuda":
                    # A CUDA graph copies inputs whose address may change: the whole cache, on every step. Its capacity
                    # is then fixed, too, for a graph is recorded for one shape.
                    torch._dynamo.mark_static_address(buffer)
                else:
                    torch._dynamo.mark_dynamic(buffer, 2, hint_override=CAPACITY_HINT)


def cuda_graphs(device: str, modes: tuple[str, str]) -> str:
    """Phases, prefill and decode, that are captured as CUDA graphs."""
    if device != "cuda":
        return "none"
    phases = [phase for phase, mode in zip(("prefill", "decode"), modes) if mode in GRAPH_MODES]
    return " and ".join(phases) or "none"


def auto_modes(command: Load) -> tuple[str, str]:
    """What "auto" stands for, prefill and decode, by measurement."""
    match command.device:
        case "cpu":
            # Autotuning decodes up to 3.8 times as fast (fp32, batch 4: PyTorch's own kernels take over from the BLAS). It
            # takes int4 prompts at 3.3 to 7.2 times the speed where the processor has AMX (Inductor's own int4 kernel takes
            # over) and at the same without it, bf16 prompts at 1.09 times, and makes no difference to fp32 prompts that is
            # worth its minute.
            return "default" if command.precision == "fp32" else AUTOTUNED, AUTOTUNED
        case "cuda":
            # Decoding replays a CUDA graph, without which a step is the launching of its kernels; a prompt is long enough
            # to hide that. Not measured here: no machine with a GPU was at hand.
            return "default", "reduce-overhead"
        case _:
            return "default", "default"


def load(command: Load) -> tuple[CompiledDecoder, dict[str, Any]]:
    mode = command.options.get("mode", "auto")
    if mode not in MODES:
        raise RunnerError("failed", f"no compile mode {mode!r}")
    freezing = command.options.get("freezing", command.device == "cpu")
    configure_dynamo()
    modes = auto_modes(command) if mode == "auto" else (mode, mode)
    model, facts = load_model(command, attention=ATTENTION)
    dtype = torch.bfloat16 if command.precision == "int4" else model.dtype
    return CompiledDecoder(model, command, dtype, modes, freezing), facts | {
        "kvCache": "static, of the cell's capacity",
        "slidingWindow": attention_window(model.config) or "none",
        "compileModePrefill": modes[0],
        "compileModeDecode": modes[1],
        "cudaGraphs": cuda_graphs(command.device, modes),
        "compileBackend": "inductor",
        "compileShapes": f"batch size and prompt length fixed, cache capacity {'fixed' if command.device == 'cuda' else 'symbolic'}",
    }
