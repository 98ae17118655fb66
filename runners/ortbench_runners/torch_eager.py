"""PyTorch as its users run it without compiling: transformers' own forward with its growing cache."""

from __future__ import annotations

from typing import Any

import torch
from transformers import DynamicCache

from .commands import Load, Prompts
from .torch_decoder import TorchDecoder, left_pad
from .torch_model import load_model


class EagerDecoder(TorchDecoder):
    def begin(self, prompts: Prompts, capacity: int) -> None:
        # The cache grows by concatenation in each step: that is its cost, and belongs to the step.
        self._cache = DynamicCache(config=self.model.config)
        self._begun = prompts, capacity
        ids, padding = left_pad(prompts)
        self._prompt = ids
        self._mask: torch.Tensor | None = None
        if padding.any():
            # Room for the whole run, so that a step takes a view of it instead of building a longer mask.
            self._mask = (torch.arange(capacity) >= padding[:, None]).to(self.device, torch.int64)
        self._padding = padding[:, None].to(self.device)
        self._length = 0

    def prefill(self) -> torch.Tensor:
        return self._forward(self._prompt)

    def decode_one_token(self, ids: torch.Tensor) -> torch.Tensor:
        return self._forward(ids)

    def _forward(self, ids: torch.Tensor) -> torch.Tensor:
        end = self._length + ids.shape[1]
        # Without padding the model derives positions from the cache, one row for the whole batch: what users run, and
        # rotary embeddings of one row instead of every sequence's.
        extra: dict[str, Any] = {}
        if self._mask is not None:
            positions = torch.arange(self._length, end, device=self.device) - self._padding
            extra = {"position_ids": positions.clamp_min(0), "attention_mask": self._mask[:, :end]}
        output = self.model(
            input_ids=ids.to(self.device),
            past_key_values=self._cache,
            use_cache=True,
            logits_to_keep=1,
            **extra,
        )
        self._length = end
        return output.logits[:, -1].cpu()


def load(command: Load) -> tuple[EagerDecoder, dict[str, Any]]:
    model, facts = load_model(command, attention="sdpa")
    sliding = any(DynamicCache(config=model.config).is_sliding)
    return EagerDecoder(model, command.device), facts | {
        "kvCache": f"dynamic, concatenated {'and cut to the window ' if sliding else ''}in every step",
        "slidingWindow": model.config.sliding_window if sliding else "none",
        "compileMode": "none",
    }
