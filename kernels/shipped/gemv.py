"""MLX's ``gemv`` and ``gemv_t``, launched as MLX launches them.

The sizes of the launch follow ``gemv_axbpy`` in mlx/backend/metal/matmul.cpp
(https://github.com/ml-explore/mlx/blob/main/mlx/backend/metal/matmul.cpp): it picks one of a few instances of
a template by the lengths of the two vectors. The six numbers of an instance are, in this order,

- BM, BN: SIMD-groups of a threadgroup down and across the matrix;
- SM, SN: lanes of a SIMD-group down and across, together 32;
- TM, TN: elements that a lane takes down and across.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import mlx.core as mx

from kernels import arguments
from kernels.shipped.wheel import Output, library, type_of


@dataclass(frozen=True)
class Instance:
    """An instance of one of the two templates, and how many outputs a threadgroup makes."""

    template: str
    blocks: tuple[int, int, int, int, int, int]
    outputs: int

    def name(self, dtype: mx.Dtype) -> str:
        """The C++ name: no bias is added, and the matrix is one piece of memory."""
        return f"{self.template}<{type_of(dtype)}, {', '.join(map(str, self.blocks))}, false, false>"

    @property
    def threadgroup(self) -> tuple[int, int, int]:
        bm, bn, *_ = self.blocks
        return (32, bn, bm)


def instance(n: int, k: int) -> Instance:
    """What MLX takes for ``W[N, K] · x[K]``."""
    bm, bn, sm, sn = 8 if n >= 4096 else 4, 1, 1, 32
    if k <= 64:
        bm, sm, sn = 1, 8, 4
    elif k >= 16 * n:
        bm, bn = 1, 8
    tm, tn = 1 if n < 4 else 4, 4
    return Instance("gemv", (bm, bn, sm, sn, tm, tn), bm * sm * tm)


def instance_t(n: int, k: int) -> Instance:
    """What MLX takes for ``x[K] · W[K, N]``."""
    sm, sn = (4, 8) if k >= 8192 and n >= 2048 else (8, 4)
    bm, bn = 1, 16 if n >= 2048 else 4 if n >= 512 else 2
    tm, tn = 4, 1 if n < 4 else 4
    return Instance("gemv_t", (bm, bn, sm, sn, tm, tn), bn * sn * tn)


def gemv(x: mx.array, w: mx.array) -> mx.array:
    """``y = W · x`` by MLX's ``gemv``: four rows a SIMD-group, four elements a load. Counted as ``mat``
    (the weights), ``in_vec`` and ``out_vec``.

    Args:
        x: [K] or [1, K], float32, float16 or bfloat16; or [B, K] for a batch.
        w: [N, K], the same dtype: one row an output; or [B, N, K], a matrix for each row of x.

    Returns:
        [N], [1, N] or [B, N] in that dtype, accumulated in float32.

    Raises:
        TypeError: an argument is not an ``mx.array``.
        ValueError: a rank, a dtype, B or K does not fit.
    """
    n, k = _sizes(x, w, transposed=True)
    return _launch(instance(n, k), x, w, n, k)


def gemv_t(x: mx.array, w: mx.array) -> mx.array:
    """``y = x · W`` by MLX's ``gemv_t``, with w of shape [K, N] or [B, K, N]. As ``gemv`` otherwise."""
    n, k = _sizes(x, w, transposed=False)
    return _launch(instance_t(n, k), x, w, n, k)


def _sizes(x: mx.array, w: mx.array, *, transposed: bool) -> tuple[int, int]:
    """N and K."""
    if not (isinstance(w, mx.array) and isinstance(x, mx.array) and w.ndim == 3):
        return arguments.vector(x, w, transposed=transposed)
    if x.ndim != 2 or x.shape[0] != w.shape[0] or x.shape[0] == 0:
        raise ValueError(
            f"x has shape {tuple(x.shape)} and w has shape {tuple(w.shape)}; "
            f"x must have shape [B, K], with a row for each of the B ≥ 1 matrices of w."
        )
    return arguments.vector(x[:1], w[0], transposed=transposed)


def _launch(chosen: Instance, x: mx.array, w: mx.array, n: int, k: int) -> mx.array:
    shape = (*x.shape[:-1], n)
    if x.size == 0 or w.size == 0:
        return mx.zeros(shape, dtype=x.dtype)
    batch = w.shape[0] if w.ndim == 3 else 1
    y = Output(shape, x.dtype)
    buffers: dict[int, Any] = {
        0: w,
        1: x,
        3: y.memory,
        4: k,
        5: n,
        6: w.shape[-1],  # elements from a row of w to the next
        9: 1,  # one batch axis: its length, and the elements from one x and one w to the next
        10: [batch],
        11: [k],
        12: [n * k],
    }
    function = library("utils.h", "gemv.h").function(chosen.name(x.dtype))
    function(buffers, threadgroups=(-(-n // chosen.outputs), 1, batch), threadgroup=chosen.threadgroup)
    return y.array()
