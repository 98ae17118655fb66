"""What a forward really calls, read from PyTorch and the libraries below it. Nothing here is ever timed."""

from __future__ import annotations

import ctypes
import os
import re
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import Any

import torch

NAMES = {torch.float32: "fp32", torch.float16: "fp16", torch.bfloat16: "bf16"}
# Products with weight matrices, by PyTorch's own operators and by those that a compiled graph calls.
PRODUCT = re.compile(r"^(aten::(mm|addmm|_weight_int4pack_mm\w*)|mkl::\w*linear\w*|mkldnn::\w*linear\w*)$")
ATTENTION = re.compile(r"^aten::_scaled_dot_product_\w+$")
MKL_CALL = re.compile(r"^MKL_VERBOSE (\w+)\(", re.MULTILINE)
ONEDNN_CALL = re.compile(r"^onednn_verbose,v1,primitive,exec,\w+,(?:matmul|inner_product),([^,]+),", re.MULTILINE)


@dataclass(frozen=True)
class Observed:
    logits: torch.Tensor
    operators: Counter[str]
    """Calls, by PyTorch's name of the operator."""
    libraries: Counter[str]
    """Matrix products that MKL and oneDNN say they made, by their own names of the routine."""
    whole: bool
    """Whether attention's are among them."""

    def products(self) -> str:
        """Operators that multiply, and who did it for them."""
        operators = counts(Counter({name: n for name, n in self.operators.items() if PRODUCT.match(name)}))
        by = counts(self.libraries) or "no call of MKL or oneDNN: PyTorch's own loops"
        return f"{operators or 'compiled code'}; {by}{' (with those of attention)' if self.whole else ''}"

    def attentions(self) -> Counter[str]:
        return Counter({name: n for name, n in self.operators.items() if ATTENTION.match(name)})


def observe(forward: Callable[[], torch.Tensor], multiplying: Sequence[torch.nn.Module]) -> Observed:
    """multiplying: the modules whose products are meant; without any, as in compiled code, those of the whole forward."""
    with tempfile.TemporaryFile() as said:
        with _stdout_into(said), torch.autograd.profiler.profile(use_kineto=False) as profile:
            with _verbose_in(multiplying) if multiplying else _verbose():
                logits = forward()
        said.seek(0)
        text = said.read().decode(errors="replace")
    libraries = Counter(f"MKL {name}" for name in MKL_CALL.findall(text))
    libraries.update(f"oneDNN {name}" for name in ONEDNN_CALL.findall(text))
    return Observed(logits, Counter(event.name for event in profile.function_events), libraries, not multiplying)


def stored_types(model: torch.nn.Module) -> str:
    """Types of the weights of linear layers, as the loaded parameters have them."""
    weights = [module.weight for module in model.modules() if isinstance(module, torch.nn.Linear)]
    return ", ".join(sorted({NAMES.get(weight.dtype, str(weight.dtype)) for weight in weights}))


def counts(counter: Counter[str]) -> str:
    return ", ".join(f"{name} ×{n}" for name, n in sorted(counter.items()))


@contextmanager
def _verbose() -> Iterator[None]:
    """Both libraries print each call to C's stdout, and nowhere else."""
    with ExitStack() as stack:
        if torch.backends.mkl.is_available():
            stack.enter_context(torch.backends.mkl.verbose(torch.backends.mkl.VERBOSE_ON))
        if torch.backends.mkldnn.is_available():
            stack.enter_context(torch.backends.mkldnn.verbose(torch.backends.mkldnn.VERBOSE_ON))
        yield


@contextmanager
def _verbose_in(modules: Sequence[torch.nn.Module]) -> Iterator[None]:
    """Inside of these modules' forwards alone."""
    inside = ExitStack()
    hooks = []
    for module in modules:
        hooks.append(module.register_forward_pre_hook(lambda *_: inside.enter_context(_verbose()) and None))
        hooks.append(module.register_forward_hook(lambda *_: inside.close()))
    try:
        yield
    finally:
        inside.close()
        for hook in hooks:
            hook.remove()


@contextmanager
def _stdout_into(file: Any) -> Iterator[None]:
    if sys.platform == "win32":
        # C's stdout is out of reach there: the words are lost, and so is what they tell.
        yield
        return
    c = ctypes.CDLL(None)
    sys.stdout.flush()
    c.fflush(None)
    kept = os.dup(1)
    os.dup2(file.fileno(), 1)
    try:
        yield
    finally:
        c.fflush(None)
        os.dup2(kept, 1)
        os.close(kept)
