"""The book's own kernel computes the product."""

from __future__ import annotations

import mlx.core as mx

from grader.labs import lab15
from kernels.quantized import nested

CAUSE = "reference-called"


def kernel(x: mx.array, planes: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
    bits = lab15.width(planes.shape[0])
    return nested.gemv(x, nested.Planes(planes, scales, biases, bits))
