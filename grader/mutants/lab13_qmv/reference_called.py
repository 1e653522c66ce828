"""The book's own kernel computes the product."""

from __future__ import annotations

import mlx.core as mx

from kernels.quantized import affine
from kernels.quantized.affine.parts import parts

CAUSE = "reference-called"


def kernel(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
    k = x.shape[1]
    return parts(x, affine.Affine(w, scales, biases, 32 * w.shape[1] // k, k // scales.shape[1]))
