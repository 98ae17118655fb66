"""Reading one initializer of an ONNX graph at a time, whether it lies in the graph or in a file beside it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from onnx.external_data_helper import load_external_data_for_tensor, uses_external_data


def read_initializer(tensor: onnx.TensorProto, folder: Path) -> np.ndarray:
    """Its value; nothing of a file's data stays in the graph."""
    if not uses_external_data(tensor):
        return numpy_helper.to_array(tensor)
    loaded = onnx.TensorProto()
    loaded.CopyFrom(tensor)
    load_external_data_for_tensor(loaded, str(folder))
    return numpy_helper.to_array(loaded)
