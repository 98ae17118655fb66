"""The Python side of ortbench: runners that speak its protocol, and the preparation of model artefacts."""

import os

# Nothing of a user's machine is reported to anybody, and nothing but inference runs beside the clock. onnxruntime (from 1.29) and
# onnxruntime-genai send the machine, the program's path, names of models and times to Microsoft from a thread of their own. They
# read this once, when they start, so it is set before anything of this package can import them.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
