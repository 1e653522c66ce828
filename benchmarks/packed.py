"""Products whose weights are quantized: everybody gets the numbers that the packed weights stand for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mlx.core as mx
import numpy as np

from benchmarks.product import Array, Contender, Product
from kernels.quantized.weights import Weights


@dataclass(frozen=True)
class PackedProduct(Product):
    """A product in float32 with weights that ``quantize`` makes of [N, K] random numbers."""

    quantize: Callable[[Any], Weights] = NotImplemented
    by_rows: bool = True

    @cached_property
    def weights(self) -> Weights:
        rng = np.random.default_rng([self.m, self.n, self.k])
        return self.quantize(rng.normal(size=(self.n, self.k)).astype(np.float32))

    @cached_property
    def _numbers(self) -> tuple[Array, Array]:
        x = np.random.default_rng(self.k).normal(size=(self.m, self.k)).astype(np.float32)
        return x, self.weights.dequantize()

    def contender(self, name: str, kernel: Callable[[mx.array, Any], mx.array]) -> Contender:
        """A launcher of x and the packed weights, its checks of the arguments included."""
        x = mx.array(self.x)
        latest: list[mx.array] = []

        def run() -> None:
            y = kernel(x, self.weights)
            mx.eval(y)
            latest[:] = [y]

        return Contender(name, run, lambda: np.array(latest[0]))
