"""The description of a family: names and layouts, no behaviour of its own."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from gguf import GGUFWriter
    from transformers import PretrainedConfig


def unscaled(_config: PretrainedConfig) -> float:
    return 1.0


def no_extra_tensors(_config: PretrainedConfig) -> dict[str, np.ndarray]:
    return {}


@dataclass(frozen=True)
class Family:
    model_type: str
    """transformers' name of the family."""
    gguf_arch: str
    """llama.cpp's name of the family."""
    check: Callable[[PretrainedConfig], None]
    """Raises PrepareError for a configuration that one of the three formats cannot carry."""
    gguf_metadata: Callable[[GGUFWriter, PretrainedConfig], None]
    norm_epsilon: Callable[[PretrainedConfig], float]
    gguf_epsilon: str
    """The key of the GGUF file that holds it, after the name of the architecture."""
    gguf_modules: Mapping[str, str]
    """Module of the checkpoint → tensor of the GGUF file; {i} is the layer. Suffixes .weight and .bias carry over."""
    onnx_matmuls: Mapping[str, tuple[str, ...]]
    """Matrix multiplication of the builder's graph → modules whose rows it holds, in order; {i} is the layer."""
    builder_overrides: Callable[[PretrainedConfig], dict[str, Any]]
    """Attributes that the ONNX model builder reads from a configuration under names that this family does not use; it
    silently takes defaults when they are absent."""
    rotary_interleaved: Mapping[str, str] = field(default_factory=dict)
    """Module → config field with its number of heads, for projections that llama.cpp wants with the two halves of
    each head interleaved, because it rotates neighbouring values where transformers rotates halves."""
    gguf_extra_tensors: Callable[[PretrainedConfig], dict[str, np.ndarray]] = no_extra_tensors
    norm_offset: float = 0.0
    """What the model adds to the stored weight of a norm; llama.cpp and the ONNX builder hold the sum."""
    embedding_scale: Callable[[PretrainedConfig], float] = unscaled
    """What the model multiplies an embedding by after the look-up."""
    one_table: bool = False
    """llama.cpp knows no head of its own for this family: in int4 the table lies on the grid for every engine."""


def head_size(config: PretrainedConfig) -> int:
    return getattr(config, "head_dim", None) or config.hidden_size // config.num_attention_heads


def add_attention_metadata(writer: GGUFWriter, config: PretrainedConfig, rotary_size: int) -> None:
    """The keys that every decoder with rotary positions needs."""
    writer.add_context_length(config.max_position_embeddings)
    writer.add_embedding_length(config.hidden_size)
    writer.add_block_count(config.num_hidden_layers)
    writer.add_feed_forward_length(config.intermediate_size)
    writer.add_head_count(config.num_attention_heads)
    writer.add_head_count_kv(config.num_key_value_heads)
    writer.add_key_length(head_size(config))
    writer.add_value_length(head_size(config))
    writer.add_rope_dimension_count(rotary_size)
    writer.add_rope_freq_base(config.rope_parameters["rope_theta"])
    writer.add_vocab_size(config.vocab_size)
