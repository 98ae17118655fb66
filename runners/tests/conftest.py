"""Before any test module: the package has what it imports report nothing (ortbench_runners/__init__.py)."""

import ortbench_runners  # noqa: F401
