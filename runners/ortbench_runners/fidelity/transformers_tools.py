"""`python -m ortbench_runners.fidelity.transformers_tools --tool loop|generate|generate-compiled`: transformers as used."""

from __future__ import annotations

import argparse
import sys
from time import perf_counter_ns
from typing import Any

import torch
from transformers import DynamicCache, GenerationConfig, StaticCache
from transformers.generation.streamers import BaseStreamer

from ..commands import Load, Prompts
from ..errors import RunnerError
from ..protocol import serve
from ..torch_model import library_versions, load_model
from .tool_runner import ToolSession, require_no_options

TOOLS = ("loop", "generate", "generate-compiled")


class BareLoop:
    """What a user writes who wants no more than the tokens: no mask and no positions, for nothing is padded."""

    def __init__(self, model: torch.nn.Module) -> None:
        self._model = model
        self.vocab_size: int = model.config.vocab_size

    @torch.inference_mode()
    def run(self, prompts: Prompts, generate: int, capacity: int) -> dict[str, Any]:
        model = self._model
        cache = DynamicCache(config=model.config)
        ids = torch.tensor(prompts, dtype=torch.int64)
        times: list[int] = []
        select_ns: list[int] = []
        chosen: list[torch.Tensor] = []
        start = perf_counter_ns()
        last = start
        for _ in range(generate):
            before = perf_counter_ns()
            logits = model(input_ids=ids, past_key_values=cache, use_cache=True, logits_to_keep=1).logits[:, -1]
            computed = perf_counter_ns()
            ids = logits.argmax(dim=-1, keepdim=True)
            last = perf_counter_ns()
            times.append(computed - before)
            select_ns.append(last - computed)
            chosen.append(ids)
        return {
            "prefillNs": times[0],
            "stepNs": times[1:],
            "selectNs": select_ns,
            "tokens": torch.cat(chosen, dim=-1).tolist(),
            "wallNs": last - start,
        }

    def compilations(self) -> int:
        return 0

    def effective(self) -> dict[str, Any]:
        return {"kvCache": "DynamicCache"}

    def close(self) -> None:
        del self._model


class TokenClock(BaseStreamer):
    """Notes when `generate` hands out tokens: first the prompt, before anything is computed, then each step's."""

    def __init__(self) -> None:
        self.at: list[int] = []

    def put(self, value: torch.Tensor) -> None:
        self.at.append(perf_counter_ns())

    def end(self) -> None:
        """The time of the last token is the end."""


class Generate:
    """`model.generate`; its selection, its masks and its checks lie inside the times."""

    def __init__(self, model: torch.nn.Module, compiled: bool) -> None:
        self._model = model
        self._compiled = compiled
        self.vocab_size: int = model.config.vocab_size
        # What the checkpoint's own configuration says of sampling and of an end must not count.
        model.generation_config = GenerationConfig()
        self._cache: StaticCache | None = None
        self._cache_key: tuple[int, int] | None = None
        if compiled:
            from ..torch_compile import configure_dynamo

            configure_dynamo()
            model.forward = torch.compile(model.forward, fullgraph=True)

    @torch.inference_mode()
    def run(self, prompts: Prompts, generate: int, capacity: int) -> dict[str, Any]:
        ids = torch.tensor(prompts, dtype=torch.int64)
        clock = TokenClock()
        config = GenerationConfig(do_sample=False, num_beams=1, max_new_tokens=generate, use_cache=True)
        cache = {"past_key_values": self._static_cache(len(prompts), capacity)} if self._compiled else {}
        start = perf_counter_ns()
        output = self._model.generate(
            ids, attention_mask=torch.ones_like(ids), generation_config=config, streamer=clock, **cache
        )
        length = ids.shape[1]
        tokens = output[:, length : length + generate].tolist()
        handed_out = clock.at[1 : generate + 1]
        if len(handed_out) != generate:
            raise RunnerError("failed", f"generate handed out {len(handed_out)} tokens instead of {generate}")
        return {
            "prefillNs": handed_out[0] - start,
            "stepNs": [later - earlier for earlier, later in zip(handed_out, handed_out[1:])],
            "selectNs": [0] * generate,
            "tokens": tokens,
            "wallNs": handed_out[-1] - start,
        }

    def compilations(self) -> int:
        if not self._compiled:
            return 0
        from torch._dynamo.utils import counters

        return counters["stats"]["unique_graphs"]

    def effective(self) -> dict[str, Any]:
        return {"kvCache": "static" if self._compiled else "DynamicCache", "compiledGraphs": self.compilations()}

    def close(self) -> None:
        del self._model

    def _static_cache(self, batch_size: int, capacity: int) -> StaticCache:
        """One cache per shape, of the cell's own capacity. `cache_implementation="static"` would make it anew in each call,
        and as long as the longest of all calls before."""
        if self._cache_key != (batch_size, capacity):
            self._cache = StaticCache(config=self._model.config, max_cache_len=capacity)
            self._cache_key = (batch_size, capacity)
        self._cache.reset()
        return self._cache


class TransformersRunner:
    def __init__(self, tool: str) -> None:
        self._tool = tool
        self.name = f"transformers-{tool}"

    def versions(self) -> dict[str, str]:
        return library_versions()

    def load(self, command: Load) -> tuple[ToolSession, dict[str, Any]]:
        require_no_options(command)
        start = perf_counter_ns()
        model, facts = load_model(command, attention="sdpa")
        tool = BareLoop(model) if self._tool == "loop" else Generate(model, self._tool == "generate-compiled")
        return ToolSession(tool), {
            "loadNs": perf_counter_ns() - start,
            "vocabSize": tool.vocab_size,
            "versions": self.versions(),
            "effective": facts,
        }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ortbench_runners.fidelity.transformers_tools")
    parser.add_argument("--tool", choices=TOOLS, required=True)
    return serve(TransformersRunner(parser.parse_args().tool))


if __name__ == "__main__":
    sys.exit(main())
