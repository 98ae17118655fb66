"""Gemma 1: Llama's names, with GeGLU, norms that add 1 to their weight, scaled embeddings, and one table for the
embedding and the head."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from ..errors import PrepareError
from . import llama
from .family import add_attention_metadata, head_size, no_extra_tensors

if TYPE_CHECKING:
    from gguf import GGUFWriter
    from transformers import PretrainedConfig


def check(config: PretrainedConfig) -> None:
    if config.hidden_act != "gelu_pytorch_tanh":
        raise PrepareError(f'gemma with hidden_act "{config.hidden_act}": llama.cpp computes gelu_pytorch_tanh only')
    kind = config.rope_parameters["rope_type"]
    if kind != "default":
        raise PrepareError(f'gemma with rope_type "{kind}" is not supported')
    if config.attention_bias:
        raise PrepareError("gemma with attention_bias: llama.cpp's gemma has no bias after attention")
    if config.use_bidirectional_attention:
        raise PrepareError("gemma with use_bidirectional_attention is no decoder")
    if not config.tie_word_embeddings:
        raise PrepareError("gemma with a head of its own: llama.cpp's gemma has one table for embedding and head")


def gguf_metadata(writer: GGUFWriter, config: PretrainedConfig) -> None:
    add_attention_metadata(writer, config, rotary_size=head_size(config))
    writer.add_layer_norm_rms_eps(config.rms_norm_eps)


GEMMA = replace(
    llama.LLAMA,
    model_type="gemma",
    gguf_arch="gemma",
    check=check,
    gguf_metadata=gguf_metadata,
    # llama.cpp rotates halves here, as transformers does.
    rotary_interleaved={},
    gguf_extra_tensors=no_extra_tensors,
    norm_offset=1.0,
    embedding_scale=lambda config: math.sqrt(config.hidden_size),
    one_table=True,
)
