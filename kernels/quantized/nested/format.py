"""Nested widths: one code of 8 bits a weight, and models of 2, 3, 4, 6 and 8 bits cut from its top bits.

A code q from 0 to 255 stands for scale · q + bias, with a scale and a bias for each group of 32, 64 or 128
weights along K. The model of r bits replaces q by

    S(q, r) = min(round(q / 2^(8−r)), 2^r − 1) · 2^(8−r)

and keeps scale and bias. Halves are rounded up. With c for S(q, r) / 2^(8−r), a code of r bits, a weight is
(scale · 2^(8−r)) · c + bias: affine once more, with an exact new scale.

Source of the rule: P. Nair et al., *Matryoshka Quantization* (https://arxiv.org/abs/2502.06786).

Four codes lie in a 32-bit word, the first in the lowest byte: MLX's layout of affine weights of 8 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels import arguments
from kernels.arguments import name_of
from kernels.quantized import weights
from kernels.tolerance import Float64, exact

WIDTHS = (2, 3, 4, 6, 8)
"""Bits a weight of the models that are cut from one store."""
GROUPS = (32, 64, 128)
"""Weights along K that may share a scale and a bias."""


def sliced(q: NDArray[np.uint8], bits: int) -> NDArray[np.uint8]:
    """Codes of 8 bits cut to codes of ``bits`` bits, 0 … 2^bits − 1: S(q, bits) / 2^(8−bits)."""
    check_width(bits)
    if bits == 8:
        return q
    # The quotient's lowest bit that is cut off says whether what is cut off is a half or more.
    rounded = (q >> (8 - bits)) + (q >> (7 - bits) & 1)
    return np.minimum(rounded, np.uint8(2**bits - 1), dtype=np.uint8)


def check_width(bits: object) -> None:
    """Raises ValueError where there is no model of that many bits."""
    if bits not in WIDTHS:
        raise ValueError(f"bits is {bits!r}; it must be 2, 3, 4, 6 or 8.")


def check_groups(scales: object, biases: object, n: int, k: int, holder: str) -> None:
    """Raises TypeError or ValueError where scales and biases do not fit weights [n, k] in ``holder``."""
    for name, array in (("scales", scales), ("biases", biases)):
        if not isinstance(array, mx.array):
            raise TypeError(
                f"{name} is a {type(array).__name__}; it must be an mx.array of shape [N, K / group]."
            )
        if array.dtype not in arguments.FLOATS:
            raise ValueError(
                f"{name} has dtype {name_of(array.dtype)}; it must have float32, float16 or bfloat16."
            )
        fits = array.ndim == 2 and array.shape[0] == n and array.shape[1] > 0
        if not fits or k % array.shape[1] or k // array.shape[1] not in GROUPS:
            raise ValueError(
                f"{name} has shape {tuple(array.shape)}; {holder} of {n} rows and K = {k} needs "
                f"[{n}, K / group] with a group of 32, 64 or 128 that divides K."
            )
    assert isinstance(scales, mx.array)
    assert isinstance(biases, mx.array)
    if scales.shape != biases.shape or scales.dtype != biases.dtype:
        raise ValueError(
            f"biases has shape {tuple(biases.shape)} and dtype {name_of(biases.dtype)}; "
            f"it needs those of scales, {tuple(scales.shape)} and {name_of(scales.dtype)}."
        )


def values(codes: NDArray[np.uint8], scales: mx.array, biases: mx.array, bits: int) -> Float64:
    """(scale · 2^(8−bits)) · code + bias of codes [N, K], in float64."""
    product, bias = _terms(codes, scales, biases, bits)
    return (product + bias).reshape(codes.shape)


def sizes(codes: NDArray[np.uint8], scales: mx.array, biases: mx.array, bits: int) -> Float64:
    """|scale · 2^(8−bits) · code| + |bias| of codes [N, K], in float64."""
    product, bias = _terms(codes, scales, biases, bits)
    return (np.abs(product) + np.abs(bias)).reshape(codes.shape)


def _terms(
    codes: NDArray[np.uint8], scales: mx.array, biases: mx.array, bits: int
) -> tuple[Float64, Float64]:
    """Scaled codes [N, K / group, group], and biases [N, K / group, 1]."""
    groups = codes.reshape(*scales.shape, -1).astype(np.float64)
    return groups * (exact(scales) * 2 ** (8 - bits))[..., None], exact(biases)[..., None]


@dataclass(frozen=True)
class Nested:
    """Weights [N, K] in codes of 8 bits, used with ``bits`` of them.

    codes: uint32 [N, K / 4], row-major, four codes a word, the first in the lowest byte.
    scales, biases: [N, K / group], of one float dtype.
    bits: the width of the model, one of WIDTHS. The codes are the same for all.
    """

    codes: mx.array
    scales: mx.array
    biases: mx.array
    bits: int = 8

    def __post_init__(self) -> None:
        codes = self.codes
        if not isinstance(codes, mx.array):
            raise TypeError(f"codes is a {type(codes).__name__}; it must be an mx.array of uint32.")
        if codes.dtype != mx.uint32 or codes.ndim != 2:
            raise ValueError(
                f"codes has dtype {name_of(codes.dtype)} and shape {tuple(codes.shape)}; "
                f"it must have uint32 and shape [N, K / 4]."
            )
        check_width(self.bits)
        check_groups(self.scales, self.biases, *self.shape, "a store of codes")

    @property
    def format(self) -> str:
        return f"nested, {self.bits} of 8 bits in groups of {self.group}"

    @property
    def shape(self) -> tuple[int, int]:
        return self.codes.shape[0], 4 * self.codes.shape[1]

    @property
    def group(self) -> int:
        """Weights that share a scale."""
        return self.shape[1] // self.scales.shape[1]

    @property
    def nbytes(self) -> int:
        """All codes count, whatever the width: a byte cannot be read in part."""
        return int(self.codes.nbytes + self.scales.nbytes + self.biases.nbytes)

    def at(self, bits: int) -> Nested:
        """The model of ``bits`` bits, of the same arrays.

        Raises:
            ValueError: there is no such model.
        """
        return replace(self, bits=bits)

    def bytes_of_codes(self) -> NDArray[np.uint8]:
        """The codes of 8 bits, [N, K]."""
        return np.ascontiguousarray(np.array(self.codes)).view("<u1").reshape(self.shape)

    def dequantize(self) -> NDArray[np.float32]:
        codes = sliced(self.bytes_of_codes(), self.bits)
        return values(codes, self.scales, self.biases, self.bits).astype(np.float32)

    def magnitudes(self) -> Float64:
        return sizes(sliced(self.bytes_of_codes(), self.bits), self.scales, self.biases, self.bits)


def quantize(w: object, *, group: int = 64, dtype: mx.Dtype = mx.float16) -> Nested:
    """Codes of 8 bits, from each group's least number (0) to its greatest (255).

    Scale and bias are rounded to ``dtype`` first, and codes chosen for what is left of them. A group that
    holds a NaN becomes NaN.

    Args:
        w: [N, K], an array of floats, of NumPy or MLX.
        group: weights that share a scale: 32, 64 or 128. It divides K.
        dtype: of scales and biases: float32, float16 or bfloat16.

    Raises:
        TypeError: w is no array of floats.
        ValueError: its rank or K, the group or the dtype does not fit.
    """
    if group not in GROUPS:
        raise ValueError(f"group is {group!r}; it must be 32, 64 or 128.")
    if dtype not in arguments.FLOATS:
        raise ValueError(f"dtype is {name_of(dtype)}; it must be float32, float16 or bfloat16.")
    numbers = weights.numbers(w, group, f"nested in groups of {group}")
    n, k = numbers.shape
    if k == 0:
        raise ValueError(f"w has shape {numbers.shape}; nested needs K of at least {group}.")
    groups = numbers.reshape(n, -1, group).astype(np.float64)
    low, high = groups.min(axis=-1), groups.max(axis=-1)
    scales = mx.array(((high - low) / 255).astype(np.float32)).astype(dtype)
    biases = mx.array(low.astype(np.float32)).astype(dtype)
    step = exact(scales)[..., None]
    with np.errstate(divide="ignore", invalid="ignore"):
        q = np.where(step > 0, (groups - exact(biases)[..., None]) / step, 0)
    codes = np.floor(np.nan_to_num(q) + 0.5).clip(0, 255).astype("<u1").reshape(n, k)
    return Nested(mx.array(codes.view("<u4")), scales, biases)
