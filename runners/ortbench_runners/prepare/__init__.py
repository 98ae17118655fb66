"""From one source of weights to what each engine loads: canonical checkpoints, ONNX graphs and GGUF files.

`python -m ortbench_runners.prepare` reads lines of {"verb": …, "request": …} on stdin and answers each with one.
"""
