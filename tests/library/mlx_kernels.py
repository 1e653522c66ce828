"""MLX's own Metal kernels, launched as MLX's back end launches them: buffers, grids and function constants.

Those that the book uses too are launched by `kernels.shipped`. Each function here returns float64.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from kernels import shipped
from kernels.shipped.wheel import Output, library

DTYPES: dict[str, Any] = {"float": mx.float32, "half": mx.float16, "bfloat16_t": mx.bfloat16}
# Half the distance from 1 to the next number: the relative error of one rounding.
ROUNDING = {"float": 2.0**-24, "half": 2.0**-11, "bfloat16_t": 2.0**-8}


def rounded(values: np.ndarray, dtype: str) -> mx.array:
    """`values` as an array of MLX in the kernel's type."""
    return mx.array(values, DTYPES[dtype])


def wide(array: mx.array) -> np.ndarray:
    """An array of MLX as float64."""
    return np.array(array.astype(mx.float32)).astype(np.float64)


def gemv(mat: mx.array, vec: mx.array, *, transposed: bool = False) -> np.ndarray:
    """mat @ vec, or vec @ mat where `transposed`; both may have a leading batch axis."""
    return wide(shipped.gemv_t(vec, mat) if transposed else shipped.gemv(vec, mat))


def quantized(
    kernel: str, x: mx.array, packed: tuple[mx.array, mx.array, mx.array], dtype: str, bits: int, group: int
) -> np.ndarray:
    """x @ w.T for qmv_fast, qmv and qmm_t; x @ w for qvm and qmm_n. `packed`: weights, scales, biases."""
    w, scales, biases = packed
    rows, k = x.shape
    straight = kernel in ("qvm", "qmm_n")
    n = w.shape[1] * 32 // bits if straight else w.shape[0]
    y = Output((rows, n), DTYPES[dtype])
    arguments = f"{dtype}, {group}, {bits}"
    if kernel == "qmm_t":
        arguments += f", {'true' if n % 32 == 0 else 'false'}"
    function = library("utils.h", "steel/gemm/gemm.h", "quantized_utils.h", "quantized.h").function(
        f"affine_{kernel}<{arguments}, false>"
    )
    buffers = {0: w, 1: scales, 2: biases, 3: x, 4: y.memory, 5: k, 6: n}
    if kernel in ("qmm_t", "qmm_n"):
        buffers[7] = rows
        function(buffers, threadgroups=(-(-n // 32), -(-rows // 32), 1), threadgroup=(32, 2, 2))
    else:
        per_group = 64 if kernel == "qvm" else 8
        function(buffers, threadgroups=(rows, -(-n // per_group), 1), threadgroup=(32, 2, 1))
    return wide(y.array())


STEEL = ("utils.h", "steel/gemm/gemm.h", "steel/gemm/kernels/steel_gemm_fused.h")


def steel_gemm(
    a: mx.array,
    b: mx.array,
    dtype: str,
    *,
    ta: bool,
    tb: bool,
    tile: tuple[int, int, int, int, int] = (64, 64, 16, 2, 2),
    source: tuple[mx.array, float, float] | None = None,
) -> np.ndarray:
    """a @ b, where `ta` and `tb` say that a matrix lies transposed in memory. `source`: (c, alpha, beta) for
    alpha * a @ b + beta * c."""
    bm, bn, bk, wm, wn = tile
    k, m = a.shape if ta else a.shape[::-1]
    n = b.shape[0] if tb else b.shape[1]
    constants: Mapping[int, bool] = {
        10: False,
        100: source is not None,
        110: source is not None and source[1:] != (1.0, 1.0),
        200: m % bm == 0,
        201: n % bn == 0,
        202: k % bk == 0,
    }
    flags = ", ".join("true" if flag else "false" for flag in (ta, tb))
    function = library(*STEEL, constants=tuple(constants.items())).function(
        f"gemm<{dtype}, {bm}, {bn}, {bk}, {wm}, {wn}, {flags}, float>"
    )
    tiles_n, tiles_m = -(-n // bn), -(-m // bm)
    params = struct.pack(
        "8i3q3i4x", m, n, k, a.shape[1], b.shape[1], n, tiles_n, tiles_m, 0, 0, 0, 0, k // bk, 1
    )
    d = Output((m, n), DTYPES[dtype])
    buffers: dict[int, Any] = {0: a, 1: b, 3: d.memory, 4: params}
    if source is not None:
        c, alpha, beta = source
        buffers |= {2: c, 5: struct.pack("2iq2f", n, 1, 0, alpha, beta)}
    function(buffers, threadgroups=(tiles_n, tiles_m, 1), threadgroup=(32, wn, wm))
    return wide(d.array())
