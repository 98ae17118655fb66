"""A model's configuration and the names, shapes and roles of its tensors, without any weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PretrainedConfig

from .errors import PrepareError
from .families import family_of

# Each is built, if only in outline, to learn its tensors: ten times as many as any model has.
MOST_LAYERS = 10_000

Role = Literal["embedding", "matrix", "bias", "norm"]


@dataclass(frozen=True)
class TensorSpec:
    name: str
    shape: tuple[int, ...]
    role: Role
    """matrix: the weight of a linear layer, [out, in]; its rows are what int4 quantises."""
    offset: float = 0.0
    """norm: what the model adds to the stored value."""
    scale: float = 1.0
    """embedding: what the model multiplies the looked-up value by."""


def make_config(fields: dict[str, Any], layers: int | None) -> PretrainedConfig:
    """Builds transformers' configuration from the fields of a config.json; never runs code of the checkpoint."""
    fields = dict(fields)
    model_type = fields.pop("model_type", None)
    if not isinstance(model_type, str):
        raise PrepareError("config.json names no model_type", hint="only transformers checkpoints can be prepared")
    family = family_of(model_type)
    if fields.get("quantization_config"):
        raise PrepareError(
            "this checkpoint is quantised already",
            hint="name the checkpoint it was made from: ortbench quantises itself",
        )
    for key in ("auto_map", "architectures", "transformers_version", "_name_or_path"):
        fields.pop(key, None)
    depth = fields.get("num_hidden_layers", 0)
    if not isinstance(depth, int) or depth > MOST_LAYERS:
        raise PrepareError(f"num_hidden_layers: {depth!r} is no number of layers that a model has")
    try:
        config = AutoConfig.for_model(model_type, **fields)
    except Exception as error:  # noqa: BLE001  its validators raise many types, for whatever a config.json may hold
        raise PrepareError(f"transformers refuses this {model_type} configuration: {error}") from error
    if layers is not None:
        keep_layers(config, layers)
    if config.hidden_size % config.num_attention_heads and not fields.get("head_dim"):
        raise PrepareError(
            f"hidden_size {config.hidden_size} is not a multiple of num_attention_heads {config.num_attention_heads}"
        )
    if config.num_attention_heads % config.num_key_value_heads:
        raise PrepareError(
            f"num_attention_heads {config.num_attention_heads} is not a multiple of "
            f"num_key_value_heads {config.num_key_value_heads}"
        )
    family.check(config)
    try:
        config.architectures = [type(empty_model(config)).__name__]
    except (TypeError, ValueError, RuntimeError, KeyError, AttributeError) as error:
        raise PrepareError(f"transformers makes no model of this {model_type} configuration: {error}") from error
    return config


def keep_layers(config: PretrainedConfig, layers: int) -> None:
    if layers > config.num_hidden_layers:
        raise PrepareError(f"layers: {layers} is more than the {config.num_hidden_layers} that the model has")
    config.num_hidden_layers = layers
    if getattr(config, "layer_types", None) is not None:
        config.layer_types = config.layer_types[:layers]


def empty_model(config: PretrainedConfig) -> torch.nn.Module:
    with torch.device("meta"):
        return AutoModelForCausalLM.from_config(config)


def rotary_frequencies(config: PretrainedConfig) -> np.ndarray:
    """float64[rotary size / 2]: radians a position, as transformers' own module of the architecture has them."""
    rotary = type(empty_model(config).get_submodule("model.rotary_emb"))
    return rotary(config).inv_freq.double().numpy()


def tensor_specs(config: PretrainedConfig) -> list[TensorSpec]:
    """Every tensor that a checkpoint of this configuration holds; a tied head is not among them."""
    model = empty_model(config)
    family = family_of(config.model_type)
    specs = []
    for name, parameter in model.named_parameters():
        module_name, _, kind = name.rpartition(".")
        if config.tie_word_embeddings and module_name == "lm_head" and kind == "weight":
            continue
        module = model.get_submodule(module_name)
        role: Role
        if isinstance(module, torch.nn.Embedding):
            role = "embedding"
        elif isinstance(module, torch.nn.Linear):
            role = "matrix" if kind == "weight" else "bias"
        elif parameter.dim() == 1:
            role = "bias" if kind == "bias" else "norm"
        else:
            raise PrepareError(f"{name} is of a kind that ortbench does not know: {type(module).__name__}")
        offset = family.norm_offset if role == "norm" else 0.0
        scale = family.embedding_scale(config) if role == "embedding" else 1.0
        specs.append(TensorSpec(name, tuple(parameter.shape), role, offset, scale))
    return specs
