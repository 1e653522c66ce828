"""Random, non-symmetric data; nothing here is ever the same twice along an axis."""

from __future__ import annotations

from collections.abc import Callable

import mlx.core as mx
import numpy as np
import pytest

Draw = Callable[..., mx.array]


@pytest.fixture
def draw() -> Draw:
    """draw(shape, dtype, seed=…, scale=…): normal numbers, rounded to the dtype."""

    def make(shape: tuple[int, ...], dtype: mx.Dtype, *, seed: int = 0, scale: float = 1.0) -> mx.array:
        numbers = np.random.default_rng([seed, *shape]).normal(scale=scale, size=shape)
        return mx.array(numbers.astype(np.float32)).astype(dtype)

    return make
