"""Nano models with seeded weights, loaded by the runners' own code and run through the decode loop."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from ortbench_runners.commands import Generate, Load, TeacherForce
from ortbench_runners.session import DecodeSession
from transformers import AutoModelForCausalLM, GemmaConfig, LlamaConfig, MistralConfig, PhiConfig, PreTrainedConfig

VOCAB = 256
LLAMA = LlamaConfig(
    vocab_size=VOCAB,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    # Wide enough for answers that differ from step to step.
    initializer_range=0.3,
)
PHI = PhiConfig(
    vocab_size=VOCAB,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    max_position_embeddings=128,
    initializer_range=0.3,
)
# A window that prompts and steps outgrow.
MISTRAL = MistralConfig(
    vocab_size=VOCAB,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=4,
    num_key_value_heads=2,
    max_position_embeddings=128,
    sliding_window=5,
    initializer_range=0.3,
)
GEMMA = GemmaConfig(
    vocab_size=VOCAB,
    hidden_size=64,
    intermediate_size=96,
    num_hidden_layers=2,
    num_attention_heads=2,
    num_key_value_heads=1,
    head_dim=256,
    max_position_embeddings=128,
    initializer_range=0.3,
)
PROMPTS = [[3, 14, 15, 92, 65, 35, 89], [27, 18, 28, 18, 28, 45, 90]]
RAGGED = [[3, 14, 15, 92, 65, 35, 89], [27, 18, 28, 18]]
STEPS = 8
CAPACITY = 16


def save(folder: Path, config: PreTrainedConfig) -> Path:
    torch.manual_seed(7)
    model = AutoModelForCausalLM.from_config(config)
    if config.tie_word_embeddings:
        # A token's own embedding would outweigh the rest, and every answer repeat the last token.
        model.get_input_embeddings().weight.data /= 30
    model.save_pretrained(folder)
    return folder


def load_command(folder: Path, precision: str = "fp32", **options: Any) -> Load:
    return Load(
        model="nano",
        artefactDir=str(folder),
        precision=precision,
        device="cpu",
        threads=1,
        maxBatchSize=2,
        maxSequenceLength=CAPACITY,
        options=options,
    )


def generate(session: DecodeSession, prompts: list[list[int]], steps: int = STEPS) -> dict[str, Any]:
    command = Generate(prompts=prompts, generate=steps, capacity=CAPACITY, measurePeakMemory=False)
    return session.generate(command)


def forced_logits(
    session: DecodeSession, prompts: list[list[int]], continuation: list[list[int]], file: Path
) -> torch.Tensor:
    """float32[steps + 1, batch, vocab]"""
    forced = session.teacher_force(TeacherForce(prompts, continuation, str(file)))
    values = torch.frombuffer(bytearray(file.read_bytes()), dtype=torch.float32)
    return values.reshape(forced["steps"] + 1, len(prompts), forced["vocabSize"])


def reference_tokens(folder: Path, prompts: list[list[int]], steps: int = STEPS) -> list[list[int]]:
    """transformers' own greedy generate(), one sequence at a time."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = []
    for prompt in prompts:
        ids = torch.tensor([prompt])
        greedy = {"do_sample": False, "eos_token_id": -1, "pad_token_id": 0}
        output = model.generate(ids, attention_mask=torch.ones_like(ids), max_new_tokens=steps, **greedy)
        rows.append(output[0, len(prompt) :].tolist())
    return rows


def reference_logits(folder: Path, prompts: list[list[int]], continuation: list[list[int]]) -> torch.Tensor:
    """float32[steps + 1, batch, vocab] of one forward without any cache."""
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    rows = [prompt + forced for prompt, forced in zip(prompts, continuation)]
    with torch.inference_mode():
        logits = [
            model(torch.tensor([row])).logits[0, len(prompt) - 1 :] for row, prompt in zip(rows, prompts)
        ]
    return torch.stack(logits, dim=1)
