"""MLX's own Metal kernels, from the installed wheel's headers, run by our engine as MLX would launch them."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np

from anymetal import Function, Library
from benchmarks.product import Contender, Product
from benchmarks.quantized import GROUP, AffineProduct

KERNELS = "mlx/backend/metal/kernels"


def _function(
    name: str, headers: tuple[str, ...], constants: Mapping[int | str, bool | int | float] | None = None
) -> Function:
    lines = [f'#include "{KERNELS}/{header}"' for header in ("utils.h", *headers)]
    source = "\n".join(["#include <metal_stdlib>", *lines, ""])
    include = Path(mx.__file__).parent / "include"
    return Library(source, include_dirs=[include], constants=dict(constants or {})).function(name)


def gemv(product: Product) -> Contender:
    """``gemv`` in float32, eight SIMD-groups of four rows a threadgroup. N is a multiple of 32, K of 128."""
    function = _function("gemv<float, 8, 1, 1, 32, 4, 4, false, false>", ("gemv.h",))
    y = np.empty(product.n, np.float32)
    n, k = product.n, product.k
    buffers: dict[int, Any] = {
        0: product.w,
        1: product.x,
        3: y,
        4: k,
        5: n,
        6: k,
        9: 1,
        10: [1],
        11: [k],
        12: [n * k],
    }

    def run() -> None:
        function(buffers, threadgroups=(n // 32, 1, 1), threadgroup=(32, 1, 8))

    return Contender("MLX's gemv", run, lambda: y)


def qmv_fast(product: AffineProduct) -> Contender:
    """``affine_qmv_fast``, 4 bits in groups of 64. N is a multiple of 8, K of 512."""
    headers = ("steel/gemm/gemm.h", "quantized_utils.h", "quantized.h")
    function = _function(f"affine_qmv_fast<float, {GROUP}, 4, false>", headers)
    y = np.empty((1, product.n), np.float32)
    w, scales, biases = (np.array(a) for a in product.packed)
    buffers: dict[int, Any] = {0: w, 1: scales, 2: biases, 3: product.x, 4: y, 5: product.k, 6: product.n}

    def run() -> None:
        function(buffers, threadgroups=(1, product.n // 8, 1), threadgroup=(32, 2, 1))

    return Contender("MLX's qmv_fast", run, lambda: y)


def steel_gemm(product: Product) -> Contender:
    """``steel_gemm_fused``, nothing transposed, tiles of 64 x 64 x 16. All sizes are multiples of 64."""
    m, n, k = product.m, product.n, product.k
    constants: dict[int | str, bool | int | float] = {
        10: False,
        100: False,
        110: False,
        200: True,
        201: True,
        202: True,
    }
    function = _function(
        "gemm<float, 64, 64, 16, 2, 2, false, false, float>",
        ("steel/gemm/gemm.h", "steel/gemm/kernels/steel_gemm_fused.h"),
        constants,
    )
    y = np.empty((m, n), np.float32)
    across, down = n // 64, m // 64
    sizes = struct.pack("8i3q3i4x", m, n, k, k, n, n, across, down, 0, 0, 0, 0, k // 16, 1)
    buffers: dict[int, Any] = {0: product.x, 1: product.w, 3: y, 4: sizes}

    def run() -> None:
        function(buffers, threadgroups=(across, down, 1), threadgroup=(32, 2, 2))

    return Contender("MLX's steel_gemm_fused", run, lambda: y)
