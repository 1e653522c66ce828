"""anymetal: runs Metal kernels on any machine.

`install()` makes `mx.fast.metal_kernel` work where there is no Apple GPU. `metal_kernel` has the same
contract and always runs on the CPU. `Library` runs whole `.metal` sources.
`threads(n)` limits the CPU threads that launches use.
"""

from __future__ import annotations

from anymetal.checks import checked, roofline
from anymetal.errors import AnymetalError, CompileError, KernelFault, LaunchError
from anymetal.library import Function, Library
from anymetal.metal_kernel import install, metal_kernel, uninstall
from anymetal.runtime.launch import threads

__version__ = "0.1.0"
__all__ = [
    "AnymetalError",
    "CompileError",
    "Function",
    "KernelFault",
    "LaunchError",
    "checked",
    "Library",
    "install",
    "metal_kernel",
    "roofline",
    "threads",
    "uninstall",
]
