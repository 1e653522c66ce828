"""MLX's own quantized product computes it."""

from __future__ import annotations

import mlx.core as mx

CAUSE = "no-launch"


def kernel(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array) -> mx.array:
    k = x.shape[1]
    return mx.quantized_matmul(
        x, w, scales, biases, group_size=k // scales.shape[1], bits=32 * w.shape[1] // k
    )
