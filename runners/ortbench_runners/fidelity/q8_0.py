"""`python -m ortbench_runners.fidelity.q8_0 ARTEFACT OUT`: model.gguf with its quantisable matrices in Q8_0."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import gguf
import numpy as np

BLOCK = 32
# Types of a metadata value that are not read back as they are written.
_ARRAY = gguf.GGUFValueType.ARRAY


def is_quantised(name: str, shape: tuple[int, ...]) -> bool:
    """Matrices that are multiplied with, as llama-quantize chooses for Q8_0; norms and biases are vectors."""
    return name.endswith(".weight") and len(shape) == 2 and shape[-1] % BLOCK == 0


def write_q8_0(source: Path, target: Path) -> int:
    """Writes the GGUF file `source` (float32) to `target`; returns how many matrices are quantised."""
    reader = gguf.GGUFReader(source)
    architecture = reader.get_field("general.architecture").contents()
    writer = gguf.GGUFWriter(target, architecture)
    for name, field in reader.fields.items():
        if name.startswith("GGUF.") or name in ("general.architecture", "general.file_type"):
            continue
        kind = field.types[0]
        sub_type = field.types[-1] if kind == _ARRAY else None
        writer.add_key_value(name, field.contents(), kind, sub_type)
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0)
    quantised = 0
    for tensor in reader.tensors:
        # The file lists dimensions with the innermost first; the data's own shape is NumPy's.
        values = np.asarray(tensor.data)
        if values.dtype == np.float32 and is_quantised(tensor.name, values.shape):
            blocks = gguf.quants.quantize(values, gguf.GGMLQuantizationType.Q8_0)
            writer.add_tensor(tensor.name, blocks, raw_dtype=gguf.GGMLQuantizationType.Q8_0)
            quantised += 1
        else:
            writer.add_tensor(tensor.name, values, raw_dtype=tensor.tensor_type)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return quantised


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ortbench_runners.fidelity.q8_0")
    parser.add_argument("artefact", type=Path, help="folder with a float32 model.gguf")
    parser.add_argument("out", type=Path, help="folder to write model.gguf into")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    quantised = write_q8_0(arguments.artefact / "model.gguf", arguments.out / "model.gguf")
    if quantised == 0:
        print("no matrix of the file can be quantised", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
