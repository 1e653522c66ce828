"""The bound on a right kernel's error, and the comparison under it."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.tolerance import agrees, bound, gamma
from kernels.tolerance import exact

DTYPES = {"float32": mx.float32, "float16": mx.float16, "bfloat16": mx.bfloat16}


@given(st.integers(1, 300), st.integers(0, 2**31), st.sampled_from(list(DTYPES)))
def test_a_float32_sum_in_any_order_is_within_the_bound(terms: int, seed: int, dtype: str) -> None:
    rng = np.random.default_rng(seed)
    x, w = (mx.array(rng.standard_normal(terms)).astype(DTYPES[dtype]) for _ in range(2))
    products = exact(x) * exact(w)
    total = np.float32(0)
    for index in rng.permutation(terms):
        total = np.float32(total + np.float32(products[index]))
    got = exact(mx.array(np.array([total])).astype(DTYPES[dtype]))
    want, magnitude = np.array([products.sum()]), np.array([np.abs(products).sum()])
    assert agrees(got, want, bound(want, magnitude, terms, dtype)).all()


def test_the_bound_is_no_looser_than_one_missing_product() -> None:
    """A tolerance that lets a product be dropped grades nothing."""
    terms = 1031
    magnitude = np.array([float(terms)])  # products near 1
    for dtype in DTYPES:
        allowed = bound(np.array([0.0]), magnitude, terms, dtype)
        assert allowed[0] < 0.1


def test_gamma_is_infinite_where_no_bound_holds() -> None:
    assert gamma(255, "bfloat16") < np.inf
    assert gamma(256, "bfloat16") == np.inf


@pytest.mark.parametrize(
    ("got", "want", "right"),
    [
        (1.0, 1.0, True),
        (1.2, 1.0, False),
        (np.nan, 1.0, False),
        (1.0, np.nan, False),
        (np.nan, np.nan, True),
        (np.inf, np.inf, True),
        (-np.inf, np.inf, False),
        (np.inf, 1.0, False),
        (np.nan, np.inf, False),
        (1e300, np.inf, False),
    ],
)
def test_special_values_agree_only_with_themselves(got: float, want: float, right: bool) -> None:
    # The bound beside an infinite result is itself infinite or NaN, and must not matter.
    for allowed in (0.1,) if np.isfinite(want) else (0.1, np.inf, np.nan):
        assert agrees(np.array([got]), np.array([want]), np.array([allowed])).tolist() == [right]
