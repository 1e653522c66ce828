"""The scale and the minimum of each sub-block: a search for the line through its weights that errs least.

Codes 0 … 15 stand for s · q − b, with b ≥ 0, because the format subtracts. The range from the least weight
(or zero, where all are positive) to the greatest, in 15 steps, gives a first s. It is rarely the best one: a
slightly smaller step cuts off one extreme, and serves the other 31 weights better. So, for steps of 1/14 to
1/16 of the range, 21 of them:

1. each weight gets the nearest code;
2. with the codes fixed, least squares gives the s and b of the straight line through (q, w); where b would be
   negative, it is zero, and s alone is fitted;
3. the squared error of that line is compared with the least one so far.

This is in the spirit of ggml's ``make_qkx2_quants``, which gives large weights more say. Here all weigh
the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from kernels.tolerance import Float64

_TOP = 15
# Into how many steps the range is cut. Codes go up to 15: with more, the greatest weights get the last code.
_CUTS = _TOP + np.linspace(-1, 1, 21)


def fit(values: NDArray[np.float32]) -> tuple[Float64, Float64]:
    """s ≥ 0 and b ≥ 0 of each group, so that s · q − b with q in 0 … 15 is near its values.

    Args:
        values: [..., 32], finite.

    Returns:
        Two arrays [...].
    """
    w = values.astype(np.float64)
    low = np.minimum(w.min(axis=-1, keepdims=True), 0)
    span = w.max(axis=-1, keepdims=True) - low
    scale, minimum = span / _TOP, -low
    least = np.full(scale.shape, np.inf)
    for cut in _CUTS:
        codes = np.rint((w - low) * (cut / np.where(span > 0, span, np.inf))).clip(0, _TOP)
        s, b = _line(codes, w)
        error = np.square(s * codes - b - w).sum(axis=-1, keepdims=True)
        better = (s >= 0) & (error < least)
        scale, minimum, least = (
            np.where(better, new, old) for new, old in ((s, scale), (b, minimum), (error, least))
        )
    return scale[..., 0], minimum[..., 0]


def _line(codes: Float64, w: Float64) -> tuple[Float64, Float64]:
    """Least squares along the last axis: the s and b ≥ 0 for which s · codes − b is nearest to w."""
    n = codes.shape[-1]
    q, w_sum = codes.sum(axis=-1, keepdims=True), w.sum(axis=-1, keepdims=True)
    qq, qw = np.square(codes).sum(axis=-1, keepdims=True), (codes * w).sum(axis=-1, keepdims=True)
    spread = n * qq - q * q
    s = np.where(spread > 0, (n * qw - q * w_sum) / np.where(spread > 0, spread, 1), 0)
    b = (s * q - w_sum) / n
    through_zero = np.where(qq > 0, qw / np.where(qq > 0, qq, 1), 0)
    return np.where(b < 0, through_zero, s), np.maximum(b, 0)
