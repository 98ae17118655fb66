"""What a family of models needs beyond transformers' own code. A family is a file here and a line in FAMILIES."""

from __future__ import annotations

from ..errors import PrepareError
from .family import Family
from .gemma import GEMMA
from .llama import LLAMA
from .mistral import MISTRAL
from .phi import PHI

FAMILIES: dict[str, Family] = {family.model_type: family for family in (LLAMA, PHI, MISTRAL, GEMMA)}


def family_of(model_type: str) -> Family:
    family = FAMILIES.get(model_type)
    if family is None:
        known = ", ".join(sorted(FAMILIES))
        raise PrepareError(
            f'model_type "{model_type}" is not known to ortbench',
            hint=f"known families: {known}; a new one is a file in runners/ortbench_runners/prepare/families",
        )
    return family
