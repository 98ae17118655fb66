"""A KV cache of fixed size for compiled graphs, and the two switches that transformers needs to use it well."""

from __future__ import annotations

import os

import torch
from transformers import PreTrainedConfig
from transformers.cache_utils import Cache, StaticLayer
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import AttentionMaskInterface
from transformers.modeling_utils import AttentionInterface

from .errors import RunnerError

ATTENTION = "ortbench_static_sdpa"

# Without it transformers copies keys and values once per query head in every masked step; the CPU's flash attention
# takes grouped heads with a mask as they are.
os.environ.setdefault("TRANSFORMERS_SDPA_FORCE_GQA", "1")
# transformers' sdpa unchanged, with the mask that it is given or none: with this PyTorch, its own mask would be
# materialised for every compiled prompt, which then misses the causal kernel.
AttentionInterface.register(ATTENTION, sdpa_attention_forward)
AttentionMaskInterface.register(ATTENTION, lambda attention_mask=None, **_: attention_mask)


class StaticKv(StaticLayer):
    """Keys and values [batch, heads, capacity, size]; a prompt fills from 0, a single token goes to `position`."""

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, position: torch.Tensor) -> None:
        # StaticLayer's own state is left out: it counts tokens in a tensor per layer, and allocates on first use.
        self.keys, self.values = keys, values
        self.position = position
        self.is_initialized = True
        self.prefilling = True

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_args, **_kwargs):
        if self.prefilling:
            length = key_states.shape[2]
            self.keys[:, :, :length].copy_(key_states)
            self.values[:, :, :length].copy_(value_states)
            # Attention over the prompt alone, not over the empty rest of the buffer.
            return key_states, value_states
        self.keys.index_copy_(2, self.position, key_states)
        self.values.index_copy_(2, self.position, value_states)
        return self.keys, self.values

    def get_seq_length(self) -> int:
        # Positions are always passed in; nothing derives them from the cache.
        return 0

    def get_mask_sizes(self, query_length: int) -> tuple[int, int]:
        return query_length, 0


class StaticKvCache(Cache):
    """One buffer pair a layer, allocated and touched here, so that no step pays for a page fault."""

    def __init__(
        self, config: PreTrainedConfig, batch_size: int, capacity: int, dtype: torch.dtype, device: torch.device
    ) -> None:
        heads = getattr(config, "num_key_value_heads", None) or config.num_attention_heads
        head_size = getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads
        self.position = torch.zeros(1, dtype=torch.int64, device=device)
        shape = (batch_size, heads, capacity, head_size)

        def buffer() -> torch.Tensor:
            return torch.empty(shape, dtype=dtype, device=device).zero_()

        super().__init__(
            layers=[StaticKv(buffer(), buffer(), self.position) for _ in range(config.num_hidden_layers)]
        )

    def clear(self) -> None:
        self.position.zero_()
        for layer in self.layers:
            layer.keys.zero_()
            layer.values.zero_()

    def set_prefilling(self, prefilling: bool) -> None:
        for layer in self.layers:
            layer.prefilling = prefilling


def attention_window(config: PreTrainedConfig) -> int | None:
    """Positions that every layer sees, its own among them; None is all. The cache keeps all: the mask decides."""
    window = getattr(config, "sliding_window", None)
    kinds = set(getattr(config, "layer_types", None) or ["full_attention"])
    if kinds == {"full_attention"}:
        # Without a list of layers the window is every layer's, as in Mistral.
        return window if getattr(config, "layer_types", None) is None else None
    if kinds == {"sliding_attention"}:
        return window
    raise RunnerError("unsupported", "the compiled runner has one mask for all layers; this model's layers differ")
