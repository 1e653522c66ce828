"""MLX's own Metal kernels, from the installed wheel's headers, run by our engine as MLX would launch them."""

from __future__ import annotations

import struct
from dataclasses import replace
from typing import Any

import numpy as np

from benchmarks.peers import ours
from benchmarks.product import Contender, Product
from kernels import shipped
from kernels.shipped.wheel import library


def gemv(product: Product) -> Contender:
    """``gemv`` of ``kernels.shipped``, its checks of the arguments included."""
    return replace(ours.contender(product, shipped.gemv), name="MLX's gemv")


def steel_gemm(product: Product) -> Contender:
    """``steel_gemm_fused``, nothing transposed, tiles of 64 x 64 x 16. All sizes are multiples of 64."""
    m, n, k = product.m, product.n, product.k
    constants = ((10, False), (100, False), (110, False), (200, True), (201, True), (202, True))
    headers = ("utils.h", "steel/gemm/gemm.h", "steel/gemm/kernels/steel_gemm_fused.h")
    function = library(*headers, constants=constants).function(
        "gemm<float, 64, 64, 16, 2, 2, false, false, float>"
    )
    y = np.empty((m, n), np.float32)
    across, down = n // 64, m // 64
    sizes = struct.pack("8i3q3i4x", m, n, k, k, n, n, across, down, 0, 0, 0, 0, k // 16, 1)
    buffers: dict[int, Any] = {0: product.x, 1: product.w, 3: y, 4: sizes}

    def run() -> None:
        function(buffers, threadgroups=(across, down, 1), threadgroup=(32, 2, 2))

    return Contender("MLX's steel_gemm_fused", run, lambda: y)
