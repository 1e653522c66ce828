"""MLX's own Metal kernels, launched as MLX's back end launches them: buffers, grids and function constants.

Each function takes NumPy float32 values, rounds them to the kernel's type and returns float64.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

import anymetal

INCLUDE = Path(mx.__file__).parent / "include"
KERNELS = "mlx/backend/metal/kernels"
DTYPES: dict[str, Any] = {"float": mx.float32, "half": mx.float16, "bfloat16_t": mx.bfloat16}
# Half the distance from 1 to the next number: the relative error of one rounding.
ROUNDING = {"float": 2.0**-24, "half": 2.0**-11, "bfloat16_t": 2.0**-8}


@lru_cache(maxsize=32)
def library(*headers: str, constants: tuple[tuple[int, Any], ...] = ()) -> anymetal.Library:
    """The headers in MLX's order, as one source."""
    lines = [f'#include "{KERNELS}/{header}"' for header in headers]
    source = "\n".join(["#include <metal_stdlib>", *lines, ""])
    return anymetal.Library(source, include_dirs=[INCLUDE], constants=dict(constants))


def rounded(values: np.ndarray, dtype: str) -> mx.array:
    """`values` as an array of MLX in the kernel's type."""
    return mx.array(values, DTYPES[dtype])


def wide(array: mx.array) -> np.ndarray:
    """An array of MLX as float64."""
    return np.array(array.astype(mx.float32)).astype(np.float64)


class Output:
    """Memory for a kernel's result, in its type; full of NaN, so that a forgotten element shows."""

    def __init__(self, shape: tuple[int, ...], dtype: str) -> None:
        self.dtype = DTYPES[dtype]
        if dtype == "bfloat16_t":
            self.memory: np.ndarray = np.full(shape, 0xFFFF, np.uint16)
        else:
            self.memory = np.full(shape, np.nan, np.float16 if dtype == "half" else np.float32)

    def wide(self) -> np.ndarray:
        array = mx.array(self.memory)
        return wide(array.view(mx.bfloat16) if self.dtype == mx.bfloat16 else array)


def gemv(mat: mx.array, vec: mx.array, dtype: str, *, transposed: bool = False, batch: int = 1) -> np.ndarray:
    """mat @ vec, or vec @ mat where `transposed`; with a leading batch axis where `batch` is above 1."""
    rows, columns = mat.shape[-2:]
    length, out = (rows, columns) if transposed else (columns, rows)
    if transposed:
        sm, sn = (4, 8) if length >= 8192 and out >= 2048 else (8, 4)
        bm, bn = 1, 16 if out >= 2048 else 4 if out >= 512 else 2
        tm, tn = 4, 1 if out < 4 else 4
        name, per_group = "gemv_t", bn * sn * tn
    else:
        bm, bn, sm, sn = 8 if out >= 4096 else 4, 1, 1, 32
        if length <= 64:
            bm, sm, sn = 1, 8, 4
        elif length >= 16 * out:
            bm, bn = 1, 8
        tm, tn = 1 if out < 4 else 4, 4
        name, per_group = "gemv", bm * sm * tm
    function = library("utils.h", "gemv.h").function(
        f"{name}<{dtype}, {bm}, {bn}, {sm}, {sn}, {tm}, {tn}, false, false>"
    )
    y = Output((batch, out), dtype)
    buffers = {0: mat, 1: vec, 3: y.memory, 4: length, 5: out, 6: columns, 9: 1, 10: [batch]}
    buffers |= {11: [length], 12: [rows * columns]}
    function(buffers, threadgroups=(-(-out // per_group), 1, batch), threadgroup=(32, bn, bm))
    return y.wide() if batch > 1 else y.wide()[0]


def quantized(
    kernel: str, x: mx.array, packed: tuple[mx.array, mx.array, mx.array], dtype: str, bits: int, group: int
) -> np.ndarray:
    """x @ w.T for qmv_fast, qmv and qmm_t; x @ w for qvm and qmm_n. `packed`: weights, scales, biases."""
    w, scales, biases = packed
    rows, k = x.shape
    straight = kernel in ("qvm", "qmm_n")
    n = w.shape[1] * 32 // bits if straight else w.shape[0]
    y = Output((rows, n), dtype)
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
    return y.wide()


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
    d = Output((m, n), dtype)
    buffers: dict[int, Any] = {0: a, 1: b, 3: d.memory, 4: params}
    if source is not None:
        c, alpha, beta = source
        buffers |= {2: c, 5: struct.pack("2iq2f", n, 1, 0, alpha, beta)}
    function(buffers, threadgroups=(tiles_n, tiles_m, 1), threadgroup=(32, wn, wm))
    return d.wide()
