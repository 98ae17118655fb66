"""ONNX weights outside of the model's own folder are refused before a library reads them."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from .errors import RunnerError

if TYPE_CHECKING:
    import onnx
    from google.protobuf.message import Message


def require_contained(model: Path) -> None:
    """Raises RunnerError where `model` names a file that is absolute, leaves its folder, or is a link out of it.

    A model file is data, and must not make this process read a neighbour's. Links of a hub cache, from
    snapshots/REVISION to blobs, are the one way out that is allowed; as in src/engines/onnxruntime/externaldata.ts.
    """
    folder = model.parent.resolve()
    allowed = [folder]
    if folder.parent.name == "snapshots":
        allowed.append(folder.parent.parent / "blobs")
    for location in _locations(model):
        what = f"the model's external data {location!r}"
        if "\0" in location:
            raise RunnerError("failed", f"{what} has a NUL in its name")
        if PurePosixPath(location).is_absolute() or PureWindowsPath(location).is_absolute():
            raise RunnerError("failed", f"{what} is an absolute path; only files in the model folder are read")
        if ".." in PureWindowsPath(location).parts:
            raise RunnerError("failed", f"{what} leaves the model folder; only files in it are read")
        target = folder / location
        if not target.is_file():
            raise RunnerError("failed", f"{what} is missing")
        if not any(target.resolve().is_relative_to(root) for root in allowed):
            raise RunnerError("failed", f"{what} is a link that leaves the model folder; only files in it are read")


def _locations(model: Path) -> list[str]:
    import onnx

    try:
        proto = onnx.load(model, load_external_data=False)
    except Exception as error:  # noqa: BLE001  protobuf and onnx raise types of their own for bytes that are no model
        raise RunnerError("failed", f"{model.name} is not a valid ONNX model: {error}") from error
    found = {entry.value for tensor in _tensors(proto) for entry in tensor.external_data if entry.key == "location"}
    # protobuf gives bytes where a text is no UTF-8.
    return sorted(os.fsdecode(location) for location in found)


def _tensors(message: Message) -> Iterator[onnx.TensorProto]:
    """Wherever a tensor can hide: weights, attributes, subgraphs, functions."""
    if message.DESCRIPTOR.name == "TensorProto":
        yield message
        return
    for field, value in message.ListFields():
        if field.type == field.TYPE_MESSAGE:
            for inner in value if isinstance(value, Sequence) else [value]:
                yield from _tensors(inner)
