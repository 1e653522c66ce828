"""The indices are read in Python, and each row of x has a launch."""

from __future__ import annotations

from typing import Any

import mlx.core as mx

from grader.labs import lab13

CAUSE = "over-budget"


def kernel(x: mx.array, w: mx.array, scales: mx.array, biases: mx.array, expert: mx.array) -> mx.array:
    chosen: Any = expert.tolist()
    rows = [_qmv(x[m : m + 1], w[e], scales[e], biases[e]) for m, e in enumerate(chosen)]
    return mx.concatenate(rows)


_qmv = lab13.launch(
    """
    uint lane = thread_index_in_simdgroup;
    uint n = thread_position_in_grid.x / 32;
    uint K = x_shape[1];
    uint words = w_shape[1];
    if (int(n) >= w_shape[0]) {
        return;
    }
    float sum = 0;
    for (uint j = lane; j < words; j += 32) {
        uint k = 32 * j / BITS;
        uint g = n * (K / GROUP) + k / GROUP;
        uint word = w[n * words + j];
        float products = 0;
        float xs = 0;
        for (int at = int(BITS * k) - int(32 * j); at < 32; at += BITS, k++) {
            float xk = float(x[k]);
            products += float((at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1)) * xk;
            xs += at < 0 ? 0 : xk;
        }
        sum += float(scales[g]) * products + float(biases[g]) * xs;
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[n] = T(sum);
    }
    """
)
