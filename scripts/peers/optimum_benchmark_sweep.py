"""Runs one JSON sweep with optimum-benchmark, one configuration after the other, as its users write it."""

import json
import logging
import sys

from optimum_benchmark import Benchmark, BenchmarkConfig, InferenceConfig, ProcessConfig, PyTorchConfig


def main() -> None:
    sweep = json.loads(sys.argv[1])
    logging.disable(logging.INFO)
    for batch_size in sweep["batchSizes"]:
        for prompt_length in sweep["promptLengths"]:
            tokens = sweep["generate"]
            scenario = InferenceConfig(
                input_shapes={"batch_size": batch_size, "sequence_length": prompt_length},
                generate_kwargs={"max_new_tokens": tokens, "min_new_tokens": tokens},
                warmup_runs=sweep["warmupRuns"],
                iterations=sweep["repetitions"],
                duration=0,
                latency=True,
                memory=False,
            )
            backend = PyTorchConfig(
                model=sweep["checkpoint"],
                task="text-generation",
                device="cpu",
                intra_op_num_threads=sweep["threads"],
                inter_op_num_threads=1,
            )
            name = f"b{batch_size}-p{prompt_length}"
            config = BenchmarkConfig(name=name, scenario=scenario, backend=backend, launcher=ProcessConfig())
            report = Benchmark.launch(config).to_dict()
            decode = report["decode"]["throughput"]["value"]
            prefill = report["prefill"]["throughput"]["value"]
            print(f"{name}: prefill {prefill:.1f}, decode {decode:.1f} tokens/s", flush=True)


if __name__ == "__main__":
    main()
