"""What all quantized weights have in common, and what their launchers ask of arguments.

A format cuts each row of W[N, K] into groups along K. Every format of this book stands for numbers

    w[n, k] = s · q + b,

with a small whole number q for each weight, and s and b shared by a group. A fused kernel may keep that form,
factor s and b out of a group's sum, or fold b into q: the sums differ by rounding alone, and ``magnitudes``
is what that rounding scales with.
"""

from __future__ import annotations

from typing import Protocol, runtime_checkable

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels import arguments
from kernels.arguments import name_of
from kernels.tolerance import Float64


@runtime_checkable
class Weights(Protocol):
    """Quantized weights of shape [N, K]: one row an output."""

    @property
    def format(self) -> str:
        """The format in words, such as ``Q4_0`` or ``affine, 4 bits in groups of 64``."""

    @property
    def shape(self) -> tuple[int, int]:
        """N and K."""

    @property
    def nbytes(self) -> int:
        """Bytes of everything that a kernel reads for them: codes, scales, minimums."""

    def dequantize(self) -> NDArray[np.float32]:
        """The numbers that they stand for, [N, K]: s · q + b, rounded to float32 where that is not exact."""

    def magnitudes(self) -> Float64:
        """|s · q| + |b| of each weight, [N, K], in float64: what the rounding of a fused kernel scales with,
        however it factors s and b out of its sums."""


def bits_per_weight(w: Weights) -> float:
    """All bits of the format, scales included, over the number of weights."""
    n, k = w.shape
    if n * k == 0:
        raise ValueError(f"w has shape {w.shape}; it must hold at least one weight.")
    return 8 * w.nbytes / (n * k)


def numbers(w: object, multiple: int, format_: str) -> NDArray[np.float32]:
    """The weights to quantize, as float32 of shape [N, K], checked.

    Args:
        w: an array of NumPy or MLX, of a float dtype.
        multiple: K must be a multiple of it.
        format_: the format's name, for messages.

    Raises:
        TypeError: w is no array of float32, float16, bfloat16 or float64.
        ValueError: its rank or K does not fit.
    """
    if isinstance(w, mx.array):
        w = np.array(w.astype(mx.float32)) if w.dtype in arguments.FLOATS else np.array(w)
    if not isinstance(w, np.ndarray) or w.dtype.kind != "f":
        got = f"an array of {w.dtype}" if isinstance(w, np.ndarray) else f"a {type(w).__name__}"
        raise TypeError(f"w is {got}; it must be an array of floats, of shape [N, K].")
    if w.ndim != 2:
        raise ValueError(f"w has shape {w.shape}; it must have shape [N, K].")
    if w.shape[1] % multiple:
        raise ValueError(
            f"w has shape {w.shape}, so K = {w.shape[1]}; {format_} needs K to be a multiple of {multiple}."
        )
    return np.ascontiguousarray(w, dtype=np.float32)


def of_format(w: object, format_: type) -> None:
    """Raises TypeError where w is not of the format's class."""
    if not isinstance(w, format_):
        got = f"in {w.format}" if isinstance(w, Weights) else f"of type {type(w).__name__}"
        raise TypeError(f"w is {got}; this kernel needs weights of class {format_.__name__}.")


def result_dtype(dtype: object) -> None:
    """Raises ValueError where the dtype to dequantize to is none of the three that kernels take."""
    if dtype not in arguments.FLOATS:
        got = name_of(dtype) if isinstance(dtype, mx.Dtype) else repr(dtype)
        raise ValueError(f"dtype is {got}; it must be float32, float16 or bfloat16.")


def rows(x: object, w: Weights, most: int | None = None) -> tuple[int, int, int]:
    """M, N and K of ``x[M, K] · wᵀ``; ``x`` may be [K], which is one row.

    Args:
        x: an ``mx.array`` of float32, float16 or bfloat16.
        w: the weights.
        most: the most rows that the kernel takes.

    Raises:
        TypeError: x is not an ``mx.array``.
        ValueError: its rank, dtype, K or M does not fit.
    """
    if not isinstance(x, mx.array):
        raise TypeError(f"x is a {type(x).__name__}; it must be an mx.array of shape [K] or [M, K].")
    if x.ndim not in (1, 2):
        raise ValueError(f"x has shape {tuple(x.shape)}; it must have shape [K] or [M, K].")
    if x.dtype not in arguments.FLOATS:
        raise ValueError(f"x has dtype {name_of(x.dtype)}; it must have float32, float16 or bfloat16.")
    n, k = w.shape
    if x.shape[-1] != k:
        raise ValueError(
            f"x has shape {tuple(x.shape)}, which gives K = {x.shape[-1]}; w is {w.format} of shape "
            f"[{n}, {k}], which needs K = {k}."
        )
    m = 1 if x.ndim == 1 else x.shape[0]
    if most is not None and m > most:
        raise ValueError(f"x has shape {tuple(x.shape)}, so M = {m}; this kernel takes at most {most} rows.")
    return m, n, k
