"""Where weights come from: a seed, a local folder or the hub. safetensors only; no code of a checkpoint is run."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from safetensors import SafetensorError, safe_open

from .architecture import TensorSpec
from .errors import PrepareError
from .seeded import seeded_tensor

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "tokenizer.model",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.json",
    "merges.txt",
)


class Source(Protocol):
    config: dict[str, Any]
    folder: Path | None
    """Where tokenizer files may lie; None when there are none."""

    def tensor(self, spec: TensorSpec) -> torch.Tensor: ...


@dataclass(frozen=True)
class Seeded:
    config: dict[str, Any]
    seed: int
    folder: None = None

    def tensor(self, spec: TensorSpec) -> torch.Tensor:
        return seeded_tensor(spec, self.seed)


@dataclass
class Folder:
    folder: Path
    config: dict[str, Any] = field(init=False)
    files: dict[str, Path] = field(init=False)

    def __post_init__(self) -> None:
        if not self.folder.is_dir():
            raise PrepareError(f"there is no model folder {self.folder}")
        self.config = read_json(self.folder / "config.json", "a model folder in transformers format has one")
        self.files = self._index()

    def _index(self) -> dict[str, Path]:
        paths = sorted(self.folder.glob("model*.safetensors")) or sorted(self.folder.glob("*.safetensors"))
        index_file = self.folder / "model.safetensors.index.json"
        if index_file.exists():
            paths = [self._shard(name) for name in self._shard_names(index_file)]
        if not paths:
            raise PrepareError(f"{self.folder} holds no safetensors weights", hint=self._pickle_hint())
        return {name: path for path in paths for name in self._names(path)}

    def _shard_names(self, index_file: Path) -> list[str]:
        shards = read_json(index_file, "").get("weight_map")
        if not isinstance(shards, dict) or not all(isinstance(name, str) for name in shards.values()):
            raise PrepareError(f"{index_file} has no weight_map of file names")
        return sorted(set(shards.values()))

    def _shard(self, name: str) -> Path:
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise PrepareError(f"{self.folder}: its index names a shard outside the folder: {name!r}")
        path = self.folder / name
        if not path.exists():
            raise PrepareError(f"{self.folder} lacks {name}, which its index names", hint="download the model again")
        return path

    def _pickle_hint(self) -> str:
        pickled = [p.name for pattern in ("*.bin", "*.pt", "*.pth") for p in sorted(self.folder.glob(pattern))]
        if not pickled:
            return "expected model.safetensors or model-00001-of-….safetensors beside config.json"
        return f"{pickled[0]} is a pickle, which can run code when loaded; convert it to safetensors first"

    def _names(self, path: Path) -> Iterable[str]:
        try:
            with safe_open(path, framework="pt") as weights:
                return list(weights.keys())
        except (SafetensorError, OSError) as error:
            raise PrepareError(f"{path} is not a readable safetensors file: {error}") from error

    def tensor(self, spec: TensorSpec) -> torch.Tensor:
        path = self.files.get(spec.name)
        if path is None:
            hint = "its weights do not fit its config.json"
            raise PrepareError(f"{self.folder} has no tensor {spec.name}", hint=hint)
        with safe_open(path, framework="pt") as weights:
            value = weights.get_tensor(spec.name)
        if tuple(value.shape) != spec.shape:
            raise PrepareError(
                f"{spec.name} in {path.name} has shape {list(value.shape)}, its config.json asks for {list(spec.shape)}"
            )
        return value.to(torch.float32)


def open_source(source: dict[str, Any]) -> Source:
    if source["kind"] == "architecture":
        return Seeded(source["config"], source["seed"])
    if source["kind"] == "folder":
        return Folder(Path(source["path"]))
    from .hub import open_hub

    return open_hub(source)


def read_json(path: Path, hint: str) -> dict[str, Any]:
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise PrepareError(f"{path.parent} has no {path.name}", hint=hint or None) from error
    except (OSError, ValueError, RecursionError) as error:
        raise PrepareError(f"{path} cannot be read as JSON: {error}") from error
    if not isinstance(value, dict):
        raise PrepareError(f"{path} is not a JSON object")
    return value
