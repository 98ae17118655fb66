"""Reading a canonical checkpoint again: its configuration and tensors, one at a time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from transformers import PretrainedConfig

from .architecture import TensorSpec, make_config, tensor_specs
from .checkpoint import FACTS_FILE, on_the_grid
from .families import family_of
from .sources import Folder, read_json


class Canonical:
    def __init__(self, folder: Path) -> None:
        self.facts = read_json(folder / FACTS_FILE, "this is no canonical checkpoint made by ortbench")
        self.source = Folder(folder)
        self.config: PretrainedConfig = make_config(self.source.config, None)
        self.specs: list[TensorSpec] = tensor_specs(self.config)
        self._by_name = {spec.name: spec for spec in self.specs}
        quantised = on_the_grid(self.specs, family_of(self.config.model_type)) if self.facts["quantisation"] else []
        self.quantised: frozenset[str] = frozenset(spec.name for spec in quantised)

    def has(self, name: str) -> bool:
        return name in self._by_name

    def array(self, name: str) -> np.ndarray:
        """float32, exactly the stored values whatever their type."""
        return self.source.tensor(self._by_name[name]).numpy()
