"""NumPy: OpenBLAS's own assembly, the yardstick for a CPU."""

from __future__ import annotations

import numpy as np

from benchmarks.product import Contender, Product


def contender(product: Product) -> Contender:
    """NumPy's product in float32, into an array that is already there. M = 1 as matrix times vector."""
    x, w = product.x, product.w.T if product.by_rows else product.w
    y = np.empty((product.m, product.n), dtype=np.float32)
    if product.m == 1:
        matrix, vector, out = w.T, x[0], y[0]
        return Contender("NumPy", lambda: np.dot(matrix, vector, out=out), lambda: y)
    return Contender("NumPy", lambda: np.matmul(x, w, out=y), lambda: y)
