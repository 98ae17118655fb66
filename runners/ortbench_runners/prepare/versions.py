"""Exact versions of the libraries that shaped an artefact."""

from __future__ import annotations

from importlib.metadata import version


def tool_versions(*distributions: str) -> dict[str, str]:
    return {name: version(name) for name in distributions}
