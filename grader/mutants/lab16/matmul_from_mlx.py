"""MLX multiplies."""

from __future__ import annotations

import mlx.core as mx

CAUSE = "no-launch"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return x @ w.T
