"""How far a correct kernel may be from the exact product, derived and not guessed.

A kernel that accumulates in float32 forms K products and adds them in an order of its own choice, with or
without fused multiply-adds. Whatever the order, each product passes through at most K roundings: its own and
those of the sums it is part of. Each rounding multiplies by (1 + d) with |d| ≤ u, where u = 2⁻²⁴ for float32.
So (Higham, *Accuracy and Stability of Numerical Algorithms*, section 3.1)

    |ŝ − s| ≤ γ_K · Σ|x_k · w_k|,    γ_K = K·u / (1 − K·u).

Storing the sum rounds once more, by a unit roundoff u_out of the output's dtype: at most u_out·|ŝ|, or half
of the dtype's smallest subnormal number where the sum is that small.

A GPU may also take any float32 number below t = 2⁻¹²⁶ for zero: an input, a product, a sum. For one product
that is at most t·|w| + t·|x| + 2t, less than 2t·(|x| + 1)·(|w| + 1).

The bound holds for exact inputs: give the oracle the very numbers that the kernel read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.arguments import name_of

if TYPE_CHECKING:
    from kernels.quantized.weights import Weights

Float64 = NDArray[np.float64]

# dtype: unit roundoff, smallest subnormal, largest finite number.
_FORMATS: dict[str, tuple[float, float, float]] = {
    "float32": (2.0**-24, 2.0**-149, float(np.finfo(np.float32).max)),
    "float16": (2.0**-11, 2.0**-24, 65504.0),
    "bfloat16": (2.0**-8, 2.0**-133, (2.0 - 2.0**-7) * 2.0**127),
}
_TINY = 2.0**-126  # the smallest normal float32


def gamma(k: int, u: float = 2.0**-24) -> float:
    """γ_k = k·u / (1 − k·u): the relative error that k roundings of unit roundoff u can pile up."""
    if k * u >= 1:
        raise ValueError(f"k is {k}; no bound holds from k·u ≥ 1 on, which is k ≥ {int(1 / u)} here.")
    return k * u / (1 - k * u)


def exact(array: mx.array) -> Float64:
    """The array's values in float64, each exactly what it was in float32, float16 or bfloat16."""
    return np.array(array.astype(mx.float32)).astype(np.float64)


def matmul(x: mx.array, w: mx.array, *, transposed: bool = False) -> tuple[Float64, Float64]:
    """The product in float64, and the largest error that a float32-accumulating kernel may show there.

    Args:
        x: [M, K], or [K].
        w: [K, N], or [N, K] where ``transposed``. Same dtype as x: float32, float16 or bfloat16.

    Returns:
        The reference and the bound, both float64 of shape [M, N] (or [N]). Where the reference is infinite or
        NaN, or the rounded sum can overflow the dtype, the bound is infinite.
    """
    a, b = exact(x), exact(w)
    if transposed:
        b = b.T
    k = b.shape[0]
    u_out, subnormal, largest = _FORMATS[name_of(x.dtype)]
    with np.errstate(all="ignore"):
        reference = a @ b
        summed = gamma(k) * (np.abs(a) @ np.abs(b)) + 2 * _TINY * ((np.abs(a) + 1) @ (np.abs(b) + 1))
        bound = summed + u_out * (np.abs(reference) + summed) + subnormal / 2
        bound = np.where(np.abs(reference) + bound < largest, bound, np.inf)
    return reference, bound


# Roundings that a fused kernel of quantized weights adds to a product's K: the scale of a scale (Q4_K), scale
# times code, the minimum's product, the group's sum times its scale, and taking the minimum's share away. And
# two that the reference may hold: s·q and its sum with b, which ``dequantize`` gives in float32.
_FUSED = 7


def quantized(x: mx.array, w: Weights, *, rounded: bool = False) -> tuple[Float64, Float64]:
    """``x · wᵀ`` with the numbers that w stands for, in float64, and the largest error of a fused kernel.

    Such a kernel adds up s·q·x and b·x, each in float32 and with scales applied where it likes: before a
    product, to a group's sum, or folded into the code. Every term then passes through at most K + 7
    roundings, the reference's own included, so the bound of the sum is γ_{K+7} · Σ|x|·(|s·q| + |b|).

    A kernel that writes s·q + b out in x's dtype before it multiplies, as a GEMM on dequantized weights does,
    rounds each weight by u_out·|w| more, or half of that dtype's smallest subnormal.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: weights of shape [N, K].
        rounded: the kernel rounds each weight to x's dtype.

    Returns:
        The reference and the bound, both float64 of shape [M, N] or [N], as for ``matmul``.
    """
    a, b, sizes = exact(x), w.dequantize().astype(np.float64).T, w.magnitudes().T
    k = b.shape[0]
    u_out, subnormal, largest = _FORMATS[name_of(x.dtype)]
    with np.errstate(all="ignore"):
        reference = a @ b
        summed = gamma(k + _FUSED) * (np.abs(a) @ sizes) + 2 * _TINY * ((np.abs(a) + 1) @ (sizes + 1))
        if rounded:
            each = u_out * (np.abs(b) + gamma(_FUSED) * sizes) + subnormal / 2
            summed += np.abs(a) @ np.where(sizes < largest, each, np.inf)
        bound = summed + u_out * (np.abs(reference) + summed) + subnormal / 2
        bound = np.where(np.abs(reference) + bound < largest, bound, np.inf)
    return reference, bound


def excess(y: mx.array, x: mx.array, w: mx.array, *, transposed: bool = False) -> float:
    """The worst error in y as a multiple of what is allowed: at most 1 for a correct kernel.

    A NaN or an infinity that the reference does not have, or one that is missing, counts as infinite.
    """
    return _excess(y, *matmul(x, w, transposed=transposed))


def quantized_excess(y: mx.array, x: mx.array, w: Weights, *, rounded: bool = False) -> float:
    """As ``excess``, of a product with quantized weights; ``rounded`` as in ``quantized``."""
    return _excess(y, *quantized(x, w, rounded=rounded))


def _excess(y: mx.array, reference: Float64, bound: Float64) -> float:
    got = exact(y).reshape(reference.shape)
    if got.size == 0:
        return 0.0
    with np.errstate(all="ignore"):
        over = np.abs(got - reference) / bound
    finite = np.isfinite(reference)
    over = np.where(finite & np.isfinite(bound), np.where(np.isnan(over), np.inf, over), 0.0)
    same_class = (np.isnan(got) == np.isnan(reference)) & (finite | np.isnan(reference) | (got == reference))
    return float(np.max(np.where(same_class, over, np.inf)))
