"""Loading a prepared checkpoint into PyTorch, the same for eager and compiled runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
import transformers

from .commands import Load
from .errors import RunnerError
from .int4 import quantise_model
from .torch_observed import NAMES, stored_types

DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def set_threads(threads: int) -> None:
    torch.set_num_threads(threads)
    try:
        # One stream of work: forwards are never run side by side.
        torch.set_num_interop_threads(1)
    except RuntimeError:
        # It can be set once a process, before any parallel work; a second load finds it set.
        if torch.get_num_interop_threads() != 1:
            raise


def check_device(device: str) -> None:
    if device == "cpu":
        return
    if device == "cuda" and torch.cuda.is_available():
        return
    raise RunnerError("unavailable", f"PyTorch {torch.__version__} has no {device} device here")


def load_model(command: Load, attention: str) -> tuple[torch.nn.Module, dict[str, Any]]:
    """The model in evaluation mode on its device, and what is effective of its weights and arithmetic."""
    check_device(command.device)
    set_threads(command.threads)
    folder = Path(command.artefactDir)
    if not (folder / "config.json").is_file():
        raise RunnerError("failed", f"no config.json in {folder}")
    if not any(folder.glob("*.safetensors")):
        raise RunnerError("failed", f"no safetensors weights in {folder}; pickled weights are never loaded")
    if command.precision == "int4" and command.device != "cpu":
        raise RunnerError("unsupported", "int4 is wired to PyTorch's CPU kernel only")
    # int4 starts from the exact values of the canonical checkpoint, which are kept as fp32.
    dtype = DTYPES.get(command.precision, torch.float32)
    model = transformers.AutoModelForCausalLM.from_pretrained(
        folder,
        dtype=dtype,
        attn_implementation=attention,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
    )
    model.eval()
    if command.precision == "int4":
        facts: dict[str, Any] = quantise_model(model, folder)
    else:
        facts = {
            "weights": stored_types(model),
            "embeddingType": NAMES[model.get_input_embeddings().weight.dtype],
            "headType": NAMES[model.get_output_embeddings().weight.dtype],
        }
        if command.device != "cpu":
            # Of the values that layers hand on; on the CPU they are read from a forward.
            facts["activations"] = facts["embeddingType"]
        else:
            facts["cpuCapability"] = torch.backends.cpu.get_cpu_capability()
    return model.to(command.device), facts | {
        **_device_facts(command.device),
        # As the model has it, whatever was asked for.
        "attention": model.config._attn_implementation,
        "device": command.device,
        "threads": torch.get_num_threads(),
        "interopThreads": torch.get_num_interop_threads(),
        "logitsScope": "last position",
    }


def _device_facts(device: str) -> dict[str, Any]:
    """What a session on a GPU is timed with; nothing for the CPU."""
    if device != "cuda":
        return {}
    return {
        "deviceName": torch.cuda.get_device_name(),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        # PyTorch's default: products of fp32 matrices keep all their bits.
        "tf32": torch.backends.cuda.matmul.allow_tf32,
        "kvLocation": "device",
        "synchronisation": "logits copied to the host and torch.cuda.synchronize, inside each timed phase",
    }


def library_versions() -> dict[str, str]:
    return {"torch": torch.__version__, "transformers": transformers.__version__}
