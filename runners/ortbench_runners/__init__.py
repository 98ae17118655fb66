"""The Python side of ortbench: runners that speak its protocol, and the preparation of model artefacts."""
