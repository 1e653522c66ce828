"""How far from the exact answer a right kernel may be, and where it is.

The bound is the one that `kernels.tolerance` derives, for any exercise whose result is a sum of products: γ
of the number of products, times Σ|products|, plus one rounding to the result's type. No factor is added on
top: a kernel outside this bound did something other than add the products in float32.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from grader.exercise import Float64
from kernels import tolerance

# Unit round-off, and half the smallest subnormal number: rounding to the type changes a value by at most
# ROUND_OFF · |value| + HALF_TINY.
ROUND_OFF = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
HALF_TINY = {"float32": 2.0**-150, "float16": 2.0**-25, "bfloat16": 2.0**-134}
SMALLEST_NORMAL = 2.0**-126


def gamma(terms: int, dtype: str) -> float:
    """γ for a sum of `terms` products in `dtype`; infinite where no bound holds any more."""
    if terms * ROUND_OFF[dtype] >= 1:
        return np.inf
    return tolerance.gamma(terms, ROUND_OFF[dtype])


def bound(want: Float64, magnitude: Float64, terms: int, dtype: str) -> Float64:
    """The largest error of each element for a kernel that accumulates in float32 and stores `dtype`.

    Args:
        want: the exact result, any shape.
        magnitude: Σ|products| of each element, the same shape.
        terms: how many products each element sums.
        dtype: float32, float16 or bfloat16. A float32 sum is stored as it is, without a second rounding.
    """
    with np.errstate(invalid="ignore", over="ignore"):
        summed = gamma(terms, "float32") * magnitude + (2 * terms + 1) * SMALLEST_NORMAL
        if dtype == "float32":
            return np.asarray(summed)
        return np.asarray(summed + ROUND_OFF[dtype] * (np.abs(want) + summed) + HALF_TINY[dtype])


def agrees(got: Float64, want: Float64, allowed: Float64) -> NDArray[np.bool_]:
    """Where `got` is right: within `allowed`, NaN where NaN belongs, the same infinity where one belongs."""
    with np.errstate(invalid="ignore"):
        near = np.abs(got - want) <= allowed
    special = np.where(np.isnan(want), np.isnan(got), got == want)
    return np.asarray(np.where(np.isfinite(want), near, special), dtype=np.bool_)
