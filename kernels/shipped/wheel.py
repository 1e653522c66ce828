"""What the launches of MLX's kernels share: the wheel's headers, type names, room for results."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.arguments import name_of

if TYPE_CHECKING:
    from anymetal import Library

INCLUDE = Path(mx.__file__).parent / "include"
"""Where `#include "mlx/backend/metal/kernels/…"` begins."""

HEADERS = INCLUDE / "mlx" / "backend" / "metal" / "kernels"
"""The folder with the kernels' headers, for a reader who wants to look."""

TYPES = {"float32": "float", "float16": "half", "bfloat16": "bfloat16_t"}
"""What MLX's templates call a dtype."""


def type_of(dtype: mx.Dtype) -> str:
    """``float`` for ``mlx.core.float32``: the type to instantiate a template with."""
    return TYPES[name_of(dtype)]


@lru_cache(maxsize=64)
def library(*headers: str, constants: tuple[tuple[int, Any], ...] = ()) -> Library:
    """MLX's headers, in the given order, as one source for ``anymetal``.

    Args:
        headers: paths below the folder of MLX's kernels, such as ``"utils.h"``, ``"gemv.h"``.
        constants: function constants as pairs of index and value.

    Raises:
        anymetal.CompileError: there is no such header.
    """
    from anymetal import Library

    below = HEADERS.relative_to(INCLUDE).as_posix()
    lines = [f'#include "{below}/{header}"' for header in headers]
    source = "\n".join(["#include <metal_stdlib>", *lines, ""])
    return Library(source, include_dirs=[INCLUDE], constants=dict(constants))


class Output:
    """Memory for a kernel's result. It is full of NaN beforehand, so that a forgotten element shows."""

    def __init__(self, shape: tuple[int, ...], dtype: mx.Dtype) -> None:
        self.dtype = dtype
        # NumPy has no bfloat16: there, the bits stand for it. 0xFFFF is a NaN.
        self.memory: NDArray[Any]
        if dtype == mx.bfloat16:
            self.memory = np.full(shape, 0xFFFF, np.uint16)
        else:
            self.memory = np.full(shape, np.nan, np.float16 if dtype == mx.float16 else np.float32)

    def array(self) -> mx.array:
        """A copy of what the kernel has stored, in the result's shape and dtype."""
        array = mx.array(self.memory)
        return array.view(mx.bfloat16) if self.dtype == mx.bfloat16 else array
