"""anymetal: runs Metal kernels on any machine.

`install()` makes `mx.fast.metal_kernel` work where there is no Apple GPU. `metal_kernel` has the same
contract and always runs on the CPU. `Library` runs whole `.metal` sources. `checked()` runs kernels watched:
what they move is counted, what they do wrong is found. `threads(n)` limits the CPU threads that launches use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from anymetal.checks import checked, roofline, trace
from anymetal.errors import AnymetalError, CompileError, KernelFault, LaunchError
from anymetal.metal_kernel import install, metal_kernel, uninstall
from anymetal.runtime.launch import threads

if TYPE_CHECKING:
    from anymetal.library import Function, Library

__version__ = "0.1.0"
__all__ = [
    "AnymetalError",
    "CompileError",
    "Function",
    "KernelFault",
    "LaunchError",
    "Library",
    "checked",
    "install",
    "metal_kernel",
    "roofline",
    "threads",
    "trace",
    "uninstall",
]


def __getattr__(name: str) -> Any:
    # Library needs NumPy; who only installs does not wait for it.
    if name in ("Function", "Library"):
        from anymetal import library

        return getattr(library, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
