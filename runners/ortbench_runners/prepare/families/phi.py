"""Phi-1 to Phi-2: parallel attention and MLP, LayerNorm, biases everywhere, rotary on a part of each head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..errors import PrepareError
from .family import Family, add_attention_metadata, head_size

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import PretrainedConfig


def rotary_size(config: PretrainedConfig) -> int:
    return int(head_size(config) * config.rope_parameters.get("partial_rotary_factor", 1.0))


def check(config: PretrainedConfig) -> None:
    if config.hidden_act != "gelu_new":
        raise PrepareError(f'phi with hidden_act "{config.hidden_act}": llama.cpp computes gelu_new only')
    if config.qk_layernorm:
        raise PrepareError("phi with qk_layernorm: llama.cpp's phi2 has no such norm")
    if config.rope_parameters["rope_type"] != "default":
        raise PrepareError(f'phi with rope_type "{config.rope_parameters["rope_type"]}" is not supported')
    if config.tie_word_embeddings:
        raise PrepareError("phi with tied embeddings: llama.cpp's phi2 needs a head of its own")
    if rotary_size(config) % 2:
        raise PrepareError(f"phi's rotary part of a head must be even, not {rotary_size(config)}")


def gguf_metadata(writer: GGUFWriter, config: PretrainedConfig) -> None:
    add_attention_metadata(writer, config, rotary_size=rotary_size(config))
    writer.add_layer_norm_eps(config.layer_norm_eps)


def builder_overrides(config: PretrainedConfig) -> dict[str, Any]:
    return {
        "rms_norm_eps": config.layer_norm_eps,
        "rope_theta": config.rope_parameters["rope_theta"],
        "partial_rotary_factor": config.rope_parameters.get("partial_rotary_factor", 1.0),
    }


_LAYER = "model.layers.{i}"

PHI = Family(
    model_type="phi",
    gguf_arch="phi2",
    check=check,
    gguf_metadata=gguf_metadata,
    norm_epsilon=lambda config: config.layer_norm_eps,
    gguf_epsilon="attention.layer_norm_epsilon",
    gguf_modules={
        "model.embed_tokens": "token_embd",
        "model.final_layernorm": "output_norm",
        "lm_head": "output",
        f"{_LAYER}.input_layernorm": "blk.{i}.attn_norm",
        f"{_LAYER}.self_attn.q_proj": "blk.{i}.attn_q",
        f"{_LAYER}.self_attn.k_proj": "blk.{i}.attn_k",
        f"{_LAYER}.self_attn.v_proj": "blk.{i}.attn_v",
        f"{_LAYER}.self_attn.dense": "blk.{i}.attn_output",
        f"{_LAYER}.mlp.fc1": "blk.{i}.ffn_up",
        f"{_LAYER}.mlp.fc2": "blk.{i}.ffn_down",
    },
    onnx_matmuls={
        "/lm_head": ("lm_head",),
        "/model/layers.{i}/attn/qkv_proj": tuple(f"{_LAYER}.self_attn.{p}_proj" for p in "qkv"),
        "/model/layers.{i}/attn/q_proj": (f"{_LAYER}.self_attn.q_proj",),
        "/model/layers.{i}/attn/k_proj": (f"{_LAYER}.self_attn.k_proj",),
        "/model/layers.{i}/attn/v_proj": (f"{_LAYER}.self_attn.v_proj",),
        "/model/layers.{i}/attn/o_proj": (f"{_LAYER}.self_attn.dense",),
        "/model/layers.{i}/mlp/fc1": (f"{_LAYER}.mlp.fc1",),
        "/model/layers.{i}/mlp/fc2": (f"{_LAYER}.mlp.fc2",),
    },
    builder_overrides=builder_overrides,
)
