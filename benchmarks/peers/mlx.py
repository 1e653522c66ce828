"""MLX's own CPU operations: what a reader without an Apple GPU would otherwise run."""

from __future__ import annotations

import mlx.core as mx
import numpy as np

from benchmarks.product import Contender, Product


def contender(product: Product) -> Contender:
    """``x @ w`` (or ``x @ w.T``) on MLX's CPU stream, in the product's dtype."""
    x, w = product.as_mlx()
    latest: list[mx.array] = []

    def run() -> None:
        with mx.stream(mx.cpu):
            y = x @ (w.T if product.by_rows else w)
            mx.eval(y)
        latest[:] = [y]

    return Contender("MLX CPU", run, lambda: np.array(latest[0]))
