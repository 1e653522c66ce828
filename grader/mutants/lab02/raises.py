"""Fails in Python, before any launch."""

from __future__ import annotations

import mlx.core as mx

CAUSE = "error"


def kernel(x: mx.array, w: mx.array) -> mx.array:
    return mx.zeros(x.shape[2])
