"""The products that are measured, and the data that every contender gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]


@dataclass(frozen=True)
class Product:
    """``X[M, K]`` times weights ``W[K, N]``, or times ``W[N, K]`` transposed where ``by_rows``.

    Random numbers from a fixed seed.
    """

    m: int
    n: int
    k: int
    by_rows: bool = False
    dtype: str = "float32"

    @cached_property
    def _numbers(self) -> tuple[Array, Array]:
        rng = np.random.default_rng([self.m, self.n, self.k])
        x = rng.normal(size=(self.m, self.k)).astype(np.float32)
        w = rng.normal(size=(self.n, self.k) if self.by_rows else (self.k, self.n)).astype(np.float32)
        if self.dtype == "float16":
            x, w = x.astype(np.float16).astype(np.float32), w.astype(np.float16).astype(np.float32)
        return x, w

    @property
    def x(self) -> Array:
        """[M, K] in float32, rounded to ``dtype``."""
        return self._numbers[0]

    @property
    def w(self) -> Array:
        """[K, N] or [N, K] in float32, rounded to ``dtype``."""
        return self._numbers[1]

    def as_mlx(self) -> tuple[mx.array, mx.array]:
        """x and w as MLX arrays of ``dtype``, evaluated."""
        dtype = {"float32": mx.float32, "float16": mx.float16}[self.dtype]
        x, w = mx.array(self.x).astype(dtype), mx.array(self.w).astype(dtype)
        mx.eval(x, w)
        return x, w

    @property
    def flop(self) -> int:
        """Floating-point operations: a multiply and an add for each of M·N·K."""
        return 2 * self.m * self.n * self.k


@dataclass(frozen=True)
class Contender:
    """Somebody who computes the product.

    ``run`` does all of it and returns when it is done. ``result`` gives [M, N] as last
    computed.
    """

    name: str
    run: Callable[[], object]
    result: Callable[[], NDArray[Any]]


class Missing(Exception):
    """A peer that is not installed here, and what it needs."""
