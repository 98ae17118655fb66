"""`python -m ortbench_runners.roofline`: what this machine's memory and arithmetic reach at best, as one JSON line.

Memory bandwidth is measured by two kernels of PyTorch: a reduction that reads an array once, as a decode step reads its
weights, and the STREAM triad a = b + s·c (McCalpin 1995), which counts 24 bytes an element at eight bytes each, here 12
at four. Each runs over working sets of several sizes, because a small model is read from a cache and a large one from
memory. The peak matrix rate is that of square products at several element types, 2·n³ operations each, by the libraries
that are installed: PyTorch's (MKL or oneDNN) and ONNX Runtime's (MLAS). Of everything the best of many is taken, as STREAM
does: whatever disturbs a measurement makes it slower.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from functools import partial
from importlib import metadata
from time import perf_counter_ns
from typing import Any

MIB = 2**20
SMALLEST_BYTES = MIB // 2
# A kernel is repeated at least this often, and for at least this long, in each of several passes over everything: what
# disturbs the machine for a second then spoils one pass and not a size.
PASSES = 3
LEAST_REPEATS = 6
LEAST_NS = 20_000_000
MATRIX_REPEATS = 2
# Repeats of a matrix product in one pass; larger products reach higher rates on machines with many cores.
MATRIX_NS = 60_000_000
SMALLEST_MATRIX = 512
LARGEST_MATRIX = 8192
# A product that takes less is dominated by starting threads.
SHORTEST_PRODUCT_NS = 10_000_000

ELEMENT_TYPES = ("fp32", "fp16", "bf16", "int8")

Kernel = Callable[[], object]


def best_ns(kernel: Kernel, repeats: int = LEAST_REPEATS, least_ns: int = LEAST_NS) -> int:
    """The shortest of many calls in nanoseconds; the first, which may allocate and compile, does not count."""
    kernel()
    best = sys.maxsize
    begun = perf_counter_ns()
    done = 0
    while done < repeats or perf_counter_ns() - begun < least_ns:
        start = perf_counter_ns()
        kernel()
        best = min(best, perf_counter_ns() - start)
        done += 1
    return max(best, 1)


def working_sets(largest_bytes: int) -> list[int]:
    """Powers of two, in bytes."""
    sizes = [SMALLEST_BYTES]
    while sizes[-1] * 2 <= largest_bytes:
        sizes.append(sizes[-1] * 2)
    return sizes


def bandwidth_kernels(bytes_: int) -> dict[str, tuple[int, Kernel]]:
    """Kernels that touch `bytes_` of memory in one call, with the bytes that each counts as moved."""
    import torch

    array = torch.ones(bytes_ // 4)
    third = bytes_ // 12
    a, b, c = torch.empty(third), torch.ones(third), torch.ones(third)
    out = torch.empty(())
    return {
        "read (torch.sum)": (4 * array.numel(), lambda: torch.sum(array, dim=0, out=out)),
        "STREAM triad (torch.add)": (12 * third, lambda: torch.add(b, c, alpha=3.0, out=a)),
    }


def measure_bandwidth(sizes: list[int]) -> list[dict[str, Any]]:
    best: dict[int, tuple[float, str]] = {}
    for _ in range(PASSES):
        for size in sizes:
            for name, (moved, kernel) in bandwidth_kernels(size).items():
                best[size] = max(best.get(size, (0.0, "")), (moved * 1e9 / best_ns(kernel), name))
    return [
        {"workingSetBytes": size, "bytesPerSecond": rate, "kernel": name}
        for size, (rate, name) in best.items()
    ]


def torch_product(element: str, n: int) -> Kernel:
    import torch

    if element == "int8":
        a, b = (torch.randint(-100, 100, (n, n), dtype=torch.int8) for _ in range(2))
        return lambda: torch._int_mm(a, b)
    dtype = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}[element]
    a, b = (torch.randn(n, n).to(dtype) for _ in range(2))
    return lambda: torch.mm(a, b)


def onnxruntime_product(element: str, n: int, threads: int) -> Kernel:
    import numpy as np
    import onnxruntime as ort
    from onnx import TensorProto, helper, numpy_helper

    random = np.random.default_rng(1)
    if element == "fp32":
        operator, kind, result = "MatMul", TensorProto.FLOAT, TensorProto.FLOAT
        a, b = (random.standard_normal((n, n), dtype=np.float32) for _ in range(2))
    elif element == "int8":
        operator, kind, result = "MatMulInteger", TensorProto.UINT8, TensorProto.INT32
        a = random.integers(0, 200, (n, n), dtype=np.uint8)
        b = random.integers(-100, 100, (n, n), dtype=np.int8)
    else:
        raise NotImplementedError(f"ONNX Runtime has no CPU kernel that multiplies {element}")
    # Weights are constant in a model, too: the library may pack them once.
    graph = helper.make_graph(
        [helper.make_node(operator, ["a", "b"], ["c"])],
        "product",
        [helper.make_tensor_value_info("a", kind, [n, n])],
        [helper.make_tensor_value_info("c", result, [n, n])],
        [numpy_helper.from_array(b, "b")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    session = ort.InferenceSession(
        model.SerializeToString(), sess_options=options, providers=["CPUExecutionProvider"]
    )
    return lambda: session.run(["c"], {"a": a})


def matrix_size(product: Callable[[int], Kernel]) -> int:
    """The smallest power of two whose product takes long enough to be timed well."""
    n = SMALLEST_MATRIX
    while n < LARGEST_MATRIX and best_ns(product(n), repeats=2, least_ns=0) < SHORTEST_PRODUCT_NS:
        n *= 2
    return n


def products(element: str, threads: int) -> dict[str, tuple[int, Kernel]]:
    """The product of each library that has one for this element type, large enough, by name."""
    libraries = {
        "torch.mm": partial(torch_product, element),
        "onnxruntime MatMul": partial(onnxruntime_product, element, threads=threads),
    }
    found: dict[str, tuple[int, Kernel]] = {}
    for name, product in libraries.items():
        try:
            n = matrix_size(product)
            found[f"{name}, {n}³"] = (n, product(n))
        except (ImportError, NotImplementedError, RuntimeError) as error:
            # A library that is absent or has no such kernel on this processor is no roof.
            print(f"{name} in {element}: {error}", file=sys.stderr)
    return found


def measure_matrix(threads: int) -> dict[str, dict[str, Any] | None]:
    """The best rate at each element type, in operations (a multiplication and an addition are two); None without any."""
    all_products = {element: products(element, threads) for element in ELEMENT_TYPES}
    best: dict[str, tuple[float, str]] = {}
    for _ in range(PASSES):
        for element, named in all_products.items():
            for name, (n, kernel) in named.items():
                ns = best_ns(kernel, repeats=MATRIX_REPEATS, least_ns=MATRIX_NS)
                best[element] = max(best.get(element, (0.0, "")), (2 * n**3 * 1e9 / ns, name))
    return {
        element: {"operationsPerSecond": best[element][0], "kernel": best[element][1]} if element in best else None
        for element in ELEMENT_TYPES
    }


def versions() -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("torch", "onnxruntime"):
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m ortbench_runners.roofline")
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--largest-mib", type=int, required=True, help="largest working set")
    arguments = parser.parse_args()
    import torch

    torch.set_num_threads(arguments.threads)
    with torch.inference_mode():
        result = {
            "bandwidth": measure_bandwidth(working_sets(arguments.largest_mib * MIB)),
            "matrix": measure_matrix(arguments.threads),
            "versions": versions(),
        }
    print(json.dumps(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
