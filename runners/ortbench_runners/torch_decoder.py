"""What eager and compiled PyTorch share: prompts, selection, and the device."""

from __future__ import annotations

from contextlib import AbstractContextManager
from typing import Any

import torch

from .commands import Prompts
from .int4 import Int4Linear
from .torch_observed import NAMES, counts, observe


def left_pad(prompts: Prompts) -> tuple[torch.Tensor, torch.Tensor]:
    """Ids [batch, longest] with each row at the right end, as transformers pads for generation, and padding [batch]."""
    longest = max(len(row) for row in prompts)
    # Padding is masked out, so that any id of the vocabulary serves.
    ids = torch.tensor([[0] * (longest - len(row)) + row for row in prompts], dtype=torch.int64)
    return ids, torch.tensor([longest - len(row) for row in prompts], dtype=torch.int64)


class TorchDecoder:
    """The device's part of a decoder; logits reach the host inside the timed call, as one tensor [batch, vocab]."""

    def __init__(self, model: torch.nn.Module, device: str) -> None:
        self.model = model
        self.device = torch.device(device)
        self.vocab_size: int = model.config.vocab_size
        self._begun: tuple[Prompts, int]
        self._observed: dict[str, Any] | None = None

    def running(self) -> AbstractContextManager[Any]:
        return torch.inference_mode()

    def select(self, logits: torch.Tensor) -> torch.Tensor:
        """Ids [batch, 1]; torch.argmax returns the first of equal values."""
        return logits.argmax(dim=-1, keepdim=True)

    def forced(self, ids: list[int]) -> torch.Tensor:
        return torch.tensor(ids, dtype=torch.int64).unsqueeze(-1)

    def token_ids(self, ids: torch.Tensor) -> list[int]:
        return ids.squeeze(-1).tolist()

    def chosen_logits(self, logits: torch.Tensor, ids: torch.Tensor) -> torch.Tensor:
        return logits.gather(-1, ids)[:, 0]

    def float32_rows(self, logits: torch.Tensor) -> bytes:
        return logits.to(torch.float32).contiguous().numpy().astype("<f4", copy=False).tobytes()

    def synchronise(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def compilations(self) -> int:
        return 0

    def reset_device_peak(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self.device)

    def device_peak_bytes(self) -> int | None:
        return torch.cuda.max_memory_allocated(self.device) if self.device.type == "cuda" else None

    def effective(self) -> dict[str, Any]:
        """Asked for when a shape is ready. Types and kernels are those of the first one, which is run once more for it."""
        if self._observed is None:
            self._observed = self._observe(*self._begun) if self.device.type == "cpu" else {}
        return self._observed

    def multiplying(self) -> list[torch.nn.Module]:
        """Modules that multiply with a weight matrix, each by a call of its own; none in compiled code."""
        return [module for module in self.model.modules() if isinstance(module, (torch.nn.Linear, Int4Linear))]

    def _observe(self, prompts: Prompts, capacity: int) -> dict[str, Any]:
        self.begin(prompts, capacity)
        prefill = observe(self.prefill, self.multiplying())
        ids = self.select(prefill.logits)
        decode = observe(lambda: self.decode_one_token(ids), self.multiplying())
        return {
            "activations": NAMES[prefill.logits.dtype],
            "matmulPrefill": prefill.products(),
            "matmulDecode": decode.products(),
            "attentionKernels": counts(prefill.attentions() + decode.attentions()) or "compiled code",
            "kernelsSeenAt": f"batch {len(prompts)}, prompt {len(prompts[0])}",
        }

    def close(self) -> None:
        del self.model
