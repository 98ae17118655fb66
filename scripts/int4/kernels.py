"""Times of PyTorch's ways to multiply by int4 weights on the CPU, as JSON; scripts/bench-int4.mjs prints them.

All multiply by the same matrix, one on the Q4_0 grid. What is not there on this machine says why.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from ortbench_runners.int4 import GROUP_SIZE, Int4Linear, to_grid

Multiply = Callable[[torch.Tensor], torch.Tensor]


def on_grid(rows: int, columns: int) -> torch.Tensor:
    """fp32[rows, columns] of 4-bit integers times scales that bf16 holds exactly, -8 in every block."""
    integers = torch.randint(-8, 8, (rows, columns // GROUP_SIZE, GROUP_SIZE)).float()
    integers[..., 0] = -8
    scales = (torch.rand(rows, columns // GROUP_SIZE, 1) * 0.01 + 0.001).bfloat16().float()
    return (integers * scales).reshape(rows, columns)


def packed_multiply(layer: Int4Linear, dtype: torch.dtype) -> Multiply:
    scale_and_zero = layer.scale_and_zero.to(dtype)
    return lambda inputs: torch.ops.aten._weight_int4pack_mm_for_cpu(inputs, layer.packed, GROUP_SIZE, scale_and_zero)


def dynamic_multiply(weight: torch.Tensor) -> Multiply:
    """int8 activations, quantised anew for each row: the operator behind torchao's dynamic int8 with int4 weights."""
    rows, columns = weight.shape
    integers, scales = to_grid(weight)
    pairs = (integers[:, 1::2] << 4 | integers[:, ::2]).to(torch.uint8)
    packed = torch.ops.aten._dyn_quant_pack_4bit_weight(pairs, scales.bfloat16(), None, GROUP_SIZE, columns, rows)
    return lambda inputs: torch.ops.aten._dyn_quant_matmul_4bit(inputs, packed, GROUP_SIZE, columns, rows)


def dense_multiply(weight: torch.Tensor, dtype: torch.dtype) -> Multiply:
    dense = weight.to(dtype)
    return lambda inputs: torch.nn.functional.linear(inputs, dense)


def make_ways(weight: torch.Tensor) -> dict[str, tuple[torch.dtype, Callable[[], Multiply]]]:
    layer = Int4Linear(weight, None)
    types = {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}
    packed = {
        f"int4, {name} activations": (dtype, partial(packed_multiply, layer, dtype))
        for name, dtype in types.items()
    }
    dynamic = {"int4, dynamic int8 activations": (torch.float32, partial(dynamic_multiply, weight))}
    dense = {
        f"the same weights in {name}": (types[name], partial(dense_multiply, weight, types[name]))
        for name in ("bf16", "fp32")
    }
    return packed | dynamic | dense


def median_ns(multiply: Multiply, inputs: torch.Tensor, seconds: float) -> float:
    multiply(inputs)
    times: list[int] = []
    end = time.perf_counter() + seconds
    while not times or time.perf_counter() < end:
        start = time.perf_counter_ns()
        multiply(inputs)
        times.append(time.perf_counter_ns() - start)
    return statistics.median(times)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--shape", type=int, nargs=2, default=[4096, 4096], metavar=("OUT", "IN"))
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 16])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=0.2)
    parser.add_argument("--threads", type=int, required=True)
    asked = parser.parse_args()
    torch.manual_seed(1)
    torch.set_num_threads(asked.threads)
    weight = on_grid(*asked.shape)
    ways: dict[str, tuple[torch.dtype, Multiply]] = {}
    missing: dict[str, str] = {}
    with torch.inference_mode():
        for name, (dtype, make) in make_ways(weight).items():
            try:
                multiply = make()
                multiply(torch.ones(1, asked.shape[1], dtype=dtype))
                ways[name] = (dtype, multiply)
            except RuntimeError as error:
                missing[name] = str(error).splitlines()[0]
        rows = [row for batch in asked.batches for row in measure(ways, weight, batch, asked)]
    capability = torch.backends.cpu.get_cpu_capability()
    print(json.dumps({"torch": torch.__version__, "capability": capability, "rows": rows, "missing": missing}))


def measure(
    ways: dict[str, tuple[torch.dtype, Multiply]], weight: torch.Tensor, batch: int, asked: argparse.Namespace
) -> list[dict]:
    """Turn by turn over several rounds, so that a slow moment of the machine is no way's own."""
    inputs = torch.randn(batch, weight.shape[1])
    expected = inputs @ weight.T
    times: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(asked.rounds):
        for name, (dtype, multiply) in ways.items():
            times[name].append(median_ns(multiply, inputs.to(dtype), asked.seconds))
    return [
        {
            "way": name,
            "batch": batch,
            "roundNs": times[name],
            "relativeError": ((multiply(inputs.to(dtype)).float() - expected).norm() / expected.norm()).item(),
        }
        for name, (dtype, multiply) in ways.items()
    ]


if __name__ == "__main__":
    main()
