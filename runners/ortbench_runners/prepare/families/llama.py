"""Llama, with and without grouped-query attention."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import PrepareError
from .family import Family, add_attention_metadata, head_size

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import PretrainedConfig


def check(config: PretrainedConfig) -> None:
    if config.hidden_act != "silu":
        raise PrepareError(f'llama with hidden_act "{config.hidden_act}": llama.cpp computes silu only')
    kind = config.rope_parameters["rope_type"]
    if kind not in ("default", "llama3"):
        raise PrepareError(f'llama with rope_type "{kind}" is not supported; default and llama3 are')


def gguf_metadata(writer: GGUFWriter, config: PretrainedConfig) -> None:
    add_attention_metadata(writer, config, rotary_size=head_size(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


def builder_overrides(config: PretrainedConfig) -> dict[str, Any]:
    return {"rope_theta": config.rope_parameters["rope_theta"]}


def llama3_frequency_divisors(config: PretrainedConfig) -> dict[str, np.ndarray]:
    """Llama 3.1 slows its long wavelengths; llama.cpp reads one divisor per frequency, float32[head_size / 2]."""
    rope = config.rope_parameters
    if rope["rope_type"] != "llama3":
        return {}
    size = head_size(config)
    low, high = rope["low_freq_factor"], rope["high_freq_factor"]
    original = rope["original_max_position_embeddings"]
    divisors = []
    for index in range(size // 2):
        wavelength = 2 * math.pi * rope["rope_theta"] ** (2 * index / size)
        if wavelength < original / high:
            divisors.append(1.0)
        elif wavelength > original / low:
            divisors.append(rope["factor"])
        else:
            smooth = (original / wavelength - low) / (high - low)
            divisors.append(1 / ((1 - smooth) / rope["factor"] + smooth))
    return {"rope_freqs.weight": np.array(divisors, dtype=np.float32)}


_LAYER = "model.layers.{i}"

LLAMA = Family(
    model_type="llama",
    gguf_arch="llama",
    check=check,
    gguf_metadata=gguf_metadata,
    norm_epsilon=lambda config: config.rms_norm_eps,
    gguf_epsilon="attention.layer_norm_rms_epsilon",
    gguf_modules={
        "model.embed_tokens": "token_embd",
        "model.norm": "output_norm",
        "lm_head": "output",
        f"{_LAYER}.input_layernorm": "blk.{i}.attn_norm",
        f"{_LAYER}.self_attn.q_proj": "blk.{i}.attn_q",
        f"{_LAYER}.self_attn.k_proj": "blk.{i}.attn_k",
        f"{_LAYER}.self_attn.v_proj": "blk.{i}.attn_v",
        f"{_LAYER}.self_attn.o_proj": "blk.{i}.attn_output",
        f"{_LAYER}.post_attention_layernorm": "blk.{i}.ffn_norm",
        f"{_LAYER}.mlp.gate_proj": "blk.{i}.ffn_gate",
        f"{_LAYER}.mlp.up_proj": "blk.{i}.ffn_up",
        f"{_LAYER}.mlp.down_proj": "blk.{i}.ffn_down",
    },
    onnx_matmuls={
        "/lm_head": ("lm_head",),
        "/model/layers.{i}/attn/qkv_proj": tuple(f"{_LAYER}.self_attn.{p}_proj" for p in "qkv"),
        "/model/layers.{i}/attn/q_proj": (f"{_LAYER}.self_attn.q_proj",),
        "/model/layers.{i}/attn/k_proj": (f"{_LAYER}.self_attn.k_proj",),
        "/model/layers.{i}/attn/v_proj": (f"{_LAYER}.self_attn.v_proj",),
        "/model/layers.{i}/attn/o_proj": (f"{_LAYER}.self_attn.o_proj",),
        "/model/layers.{i}/mlp/gate_proj": (f"{_LAYER}.mlp.gate_proj",),
        "/model/layers.{i}/mlp/up_proj": (f"{_LAYER}.mlp.up_proj",),
        "/model/layers.{i}/mlp/gate_up_proj": (f"{_LAYER}.mlp.gate_proj", f"{_LAYER}.mlp.up_proj"),
        "/model/layers.{i}/mlp/down_proj": (f"{_LAYER}.mlp.down_proj",),
    },
    builder_overrides=builder_overrides,
    rotary_interleaved={
        f"{_LAYER}.self_attn.q_proj": "num_attention_heads",
        f"{_LAYER}.self_attn.k_proj": "num_key_value_heads",
    },
    gguf_extra_tensors=llama3_frequency_divisors,
)
