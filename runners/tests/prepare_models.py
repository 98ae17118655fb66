"""Nano models for the tests of `prepare`, and a call of it in this process."""

from __future__ import annotations

from pathlib import Path
from typing import Any

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 512,
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-3,
    "rope_theta": 500_000.0,
}
LLAMA3 = LLAMA | {
    "rope_parameters": {
        "rope_type": "llama3",
        "rope_theta": 10_000.0,
        "factor": 8.0,
        "low_freq_factor": 1.0,
        "high_freq_factor": 4.0,
        "original_max_position_embeddings": 128,
    },
}
TIED_LLAMA = LLAMA | {"tie_word_embeddings": True}
PHI: dict[str, Any] = {
    "model_type": "phi",
    "vocab_size": 640,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 512,
    "layer_norm_eps": 1e-3,
    "partial_rotary_factor": 0.5,
    "rope_theta": 20_000.0,
}
MHA_LLAMA = LLAMA | {"num_key_value_heads": 4}
# A window that the tests' prompts outgrow.
MISTRAL = LLAMA | {"model_type": "mistral", "sliding_window": 32}
GEMMA: dict[str, Any] = {
    "model_type": "gemma",
    "vocab_size": 640,
    "hidden_size": 128,
    "intermediate_size": 512,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "num_key_value_heads": 1,
    "head_dim": 256,
    "max_position_embeddings": 512,
    "rms_norm_eps": 1e-3,
    "rope_theta": 20_000.0,
}
MODELS = {
    "llama": LLAMA,
    "mha-llama": MHA_LLAMA,
    "llama3": LLAMA3,
    "tied-llama": TIED_LLAMA,
    "phi": PHI,
    "mistral": MISTRAL,
    "gemma": GEMMA,
}


def seeded(config: dict[str, Any], seed: int = 1) -> dict[str, Any]:
    return {"kind": "architecture", "config": config, "seed": seed}


def make_checkpoint(
    out: Path, source: dict[str, Any], precision: str = "fp32", layers: int | None = None
) -> dict[str, Any]:
    from ortbench_runners.prepare.checkpoint import make_checkpoint as make

    return make({"source": source, "layers": layers, "precision": precision, "out": str(out)})["facts"]
