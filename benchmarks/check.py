"""Before anybody is timed: do they compute the product?"""

from __future__ import annotations

from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from benchmarks.product import Contender, Product
from kernels import tolerance


def check(contender: Contender, product: Product) -> None:
    """Runs the contender once and compares a sample of its outputs with float64.

    Raises:
        AssertionError: an output is further from the exact product than a float32-accumulating kernel may be.
    """
    contender.run()
    got: NDArray[Any] = np.asarray(contender.result()).reshape(product.m, product.n)
    x, w = product.as_mlx()
    # float64 products of all of a large case would take longer than the case.
    rng = np.random.default_rng(0)
    rows = mx.array(rng.choice(product.m, size=min(product.m, 32), replace=False))
    columns = mx.array(rng.choice(product.n, size=min(product.n, 256), replace=False))
    sample = mx.array(got)[rows][:, columns]
    weights = w[columns] if product.by_rows else w[:, columns]
    excess = tolerance.excess(sample, x[rows], weights, transposed=product.by_rows)
    if not excess <= 1:
        raise AssertionError(
            f"{contender.name} does not compute this product: "
            f"its worst error is {excess:.3g} times what is allowed."
        )
