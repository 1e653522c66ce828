"""What a choice looks at: three sizes, the type of x, the format of w."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

from kernels import arguments
from kernels.arguments import name_of
from kernels.quantized import weights
from kernels.quantized.weights import Weights

FLOAT = "float"
"""The format of weights that are no packed ones: an array in the dtype of x."""


@dataclass(frozen=True)
class Problem:
    """``Y[M, N] = X[M, K] · W[N, K]ᵀ``. dtype: that of x and y. format: ``float``, or the name of the module
    below ``kernels.quantized`` that w belongs to."""

    m: int
    n: int
    k: int
    dtype: str = "float32"
    format: str = FLOAT

    def __str__(self) -> str:
        return f"M = {self.m}, N = {self.n}, K = {self.k}, {self.format} weights, x in {self.dtype}"


def problem_of(x: object, w: object) -> Problem:
    """The problem that the arguments of a matmul pose.

    Args:
        x: [K] or [M, K], an ``mx.array`` of float32, float16 or bfloat16.
        w: [N, K], an ``mx.array`` of the same dtype, or quantized weights.

    Raises:
        TypeError: an argument is none of these.
        ValueError: a rank, a dtype or K does not fit.
    """
    if isinstance(w, mx.array):
        rows = x.reshape(1, -1) if isinstance(x, mx.array) and x.ndim == 1 else x
        m, n, k = arguments.matrices(rows, w, transposed=True)
        return Problem(m, n, k, name_of(w.dtype))
    if not isinstance(w, Weights):
        raise TypeError(
            f"w is a {type(w).__name__}; it must be an mx.array of shape [N, K], or weights of a format of "
            "kernels.quantized."
        )
    m, n, k = weights.rows(x, w)
    assert isinstance(x, mx.array)
    return Problem(m, n, k, name_of(x.dtype), format_of(w))


def format_of(w: Weights) -> str:
    """``q4_0`` for weights whose class stands below ``kernels.quantized.q4_0``.

    Raises:
        TypeError: w is of a class of somebody else.
    """
    package, _, rest = type(w).__module__.partition("kernels.quantized.")
    if package or not rest:
        raise TypeError(f"w is a {type(w).__name__}, which is no format of kernels.quantized.")
    return rest.split(".")[0]
