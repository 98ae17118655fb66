"""Mistral: Llama with attention that may look back over a window only."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from ..errors import PrepareError
from . import llama
from .family import no_extra_tensors

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import PretrainedConfig


def check(config: PretrainedConfig) -> None:
    if config.hidden_act != "silu":
        raise PrepareError(f'mistral with hidden_act "{config.hidden_act}": llama.cpp computes silu only')
    kind = config.rope_parameters["rope_type"]
    if kind != "default":
        raise PrepareError(f'mistral with rope_type "{kind}" is not supported')


def gguf_metadata(writer: GGUFWriter, config: PretrainedConfig) -> None:
    llama.gguf_metadata(writer, config)
    if config.sliding_window is not None:
        # llama.cpp runs Mistral as "llama", which attends to everything and passes over this key: whoever drives it
        # reads here how many tokens a sequence may have before that is another computation.
        writer.add_sliding_window(config.sliding_window)


def builder_overrides(config: PretrainedConfig) -> dict[str, Any]:
    overrides = llama.builder_overrides(config)
    if config.sliding_window is not None:
        # The builder keeps to the window in layers that are listed so, and Mistral's configuration lists none.
        overrides["layer_types"] = ["sliding_attention"] * config.num_hidden_layers
    return overrides


MISTRAL = replace(
    llama.LLAMA,
    model_type="mistral",
    check=check,
    gguf_metadata=gguf_metadata,
    builder_overrides=builder_overrides,
    gguf_extra_tensors=no_extra_tensors,
)
