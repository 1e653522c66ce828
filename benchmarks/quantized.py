"""Products whose weights have four bits: what the compiler makes of bytes and nibbles."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

import anymetal
from benchmarks.product import Array, Contender, Product

SIMDGROUPS = 8
GROUP = 64


class BlockProduct(Product):
    """A product with weights in Q4_0. ``w`` holds what they mean. K is a multiple of 32, N of 8."""

    @cached_property
    def codes(self) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
        """Scales [N, K/32] and bytes [N, K/32, 16], random."""
        rng = np.random.default_rng([self.m, self.n, self.k])
        shape = (self.n, self.k // 32)
        return rng.normal(size=shape).astype(np.float16), rng.integers(0, 256, (*shape, 16), dtype=np.uint8)

    @cached_property
    def _numbers(self) -> tuple[Array, Array]:
        d, q = self.codes
        values = np.concatenate([q & 15, q >> 4], axis=-1).astype(np.float32) - 8
        w = (values * d[..., None].astype(np.float32)).reshape(self.n, self.k)
        x = np.random.default_rng(self.k).normal(size=(1, self.k)).astype(np.float32)
        return x, w

    def blocks(self) -> mx.array:
        """The weights' bytes, as the kernel reads them."""
        d, q = self.codes
        return mx.array(np.concatenate([d[..., None].view(np.uint8), q], axis=-1).reshape(-1))


class AffineProduct(Product):
    """A product with MLX's affine weights of 4 bits in groups of 64. ``w`` holds what they mean."""

    @cached_property
    def packed(self) -> tuple[mx.array, mx.array, mx.array]:
        """Weights, scales and biases as MLX packs them, in float32."""
        rng = np.random.default_rng([self.m, self.n, self.k])
        w = mx.array(rng.normal(size=(self.n, self.k)).astype(np.float32))
        packed = mx.quantize(w, group_size=GROUP, bits=4, stream=mx.cpu)
        mx.eval(*packed)
        return packed

    @cached_property
    def _numbers(self) -> tuple[Array, Array]:
        w = np.array(mx.dequantize(*self.packed, group_size=GROUP, bits=4, stream=mx.cpu))
        return np.random.default_rng(self.k).normal(size=(1, self.k)).astype(np.float32), w


def q4_0(product: BlockProduct) -> Contender:
    """The GEMV of ``q4_0_gemv.metal``, one SIMD-group an output."""
    make: Callable[..., Any] = mx.fast.metal_kernel if mx.metal.is_available() else anymetal.metal_kernel
    kernel = make(
        name="bench_q4_0_gemv",
        input_names=["W", "x"],
        output_names=["y"],
        source=(Path(__file__).parent / "q4_0_gemv.metal").read_text(encoding="ascii"),
    )
    w, x = product.blocks(), mx.array(product.x[0])
    mx.eval(w, x)
    latest: list[mx.array] = []

    def run() -> None:
        (y,) = kernel(
            inputs=[w, x],
            template=[("SIMDGROUPS", SIMDGROUPS)],
            grid=(product.n * 32, 1, 1),
            threadgroup=(SIMDGROUPS * 32, 1, 1),
            output_shapes=[(product.n,)],
            output_dtypes=[mx.float32],
        )
        mx.eval(y)
        latest[:] = [y]

    return Contender("our Q4_0 GEMV", run, lambda: np.array(latest[0]))
