"""One thread's LLVM IR in, a SIMD-group's out: 32 lanes side by side, with masks where they part.

``layouts_for`` is asked at every new launch; ``widen``, needed where nothing is cached, is imported on use.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .ir import Unsupported
from .layouts import Layout, layouts_for

if TYPE_CHECKING:
    from .module import Widened, widen

__all__ = ["Layout", "Unsupported", "Widened", "layouts_for", "widen"]


def __getattr__(name: str) -> Any:
    if name in ("Widened", "widen"):
        from . import module

        return getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
