"""A stand-in for models that have no vocabulary: one made-up word per id."""

from __future__ import annotations

from pathlib import Path

from tokenizers import Tokenizer, models
from transformers import PretrainedConfig, PreTrainedTokenizerFast


def write_placeholder_tokenizer(config: PretrainedConfig, out: Path) -> None:
    words = {f"t{index}": index for index in range(config.vocab_size)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="t0"))
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="t0", model_max_length=config.max_position_embeddings
    ).save_pretrained(out)
