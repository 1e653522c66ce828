"""The same weights with their bits apart: a plane for each bit of the codes, the top bit's first.

Plane p holds bit 7 − p of every code: bit j of its word [n, i] belongs to weight [n, 32·i + j]. The planes
follow each other in memory, so a narrow model is the beginning of the store. Rounding needs one bit more than
the model has: the r-bit code is the top r bits, plus the next one, clamped.
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.arguments import name_of
from kernels.quantized.nested import format as codes_of
from kernels.quantized.nested.format import Nested
from kernels.tolerance import Float64


def needed(bits: int) -> int:
    """Planes that the model of ``bits`` bits reads: its own bits and, below 8, the one that rounds them."""
    codes_of.check_width(bits)
    return min(bits + 1, 8)


@dataclass(frozen=True)
class Planes:
    """Weights [N, K] in planes of bits, used with ``bits`` of them.

    planes: uint32 [P, N, K / 32], row-major, P = needed(bits): the top bits' planes.
    scales, biases: [N, K / group], of one float dtype.
    bits: the width of the model, one of WIDTHS.
    """

    planes: mx.array
    scales: mx.array
    biases: mx.array
    bits: int = 8

    def __post_init__(self) -> None:
        planes = self.planes
        if not isinstance(planes, mx.array):
            raise TypeError(f"planes is a {type(planes).__name__}; it must be an mx.array of uint32.")
        if planes.dtype != mx.uint32 or planes.ndim != 3 or planes.shape[0] != needed(self.bits):
            raise ValueError(
                f"planes has dtype {name_of(planes.dtype)} and shape {tuple(planes.shape)}; "
                f"a model of {self.bits} bits needs uint32 of shape [{needed(self.bits)}, N, K / 32]."
            )
        codes_of.check_groups(self.scales, self.biases, *self.shape, "a store of planes")

    @property
    def format(self) -> str:
        return f"nested, {self.bits} bits and {self.planes.shape[0]} planes in groups of {self.group}"

    @property
    def shape(self) -> tuple[int, int]:
        return self.planes.shape[1], 32 * self.planes.shape[2]

    @property
    def group(self) -> int:
        """Weights that share a scale."""
        return self.shape[1] // self.scales.shape[1]

    @property
    def nbytes(self) -> int:
        return int(self.planes.nbytes + self.scales.nbytes + self.biases.nbytes)

    def at(self, bits: int) -> Planes:
        """The model of ``bits`` bits: the first planes of this one.

        Raises:
            ValueError: there is no such model, or this one lacks planes for it.
        """
        planes = needed(bits)
        if planes > self.planes.shape[0]:
            raise ValueError(
                f"bits is {bits}, which needs {planes} planes; these weights hold {self.planes.shape[0]}."
            )
        return Planes(self.planes[:planes], self.scales, self.biases, bits)

    def codes(self) -> NDArray[np.uint8]:
        """The codes of ``bits`` bits, [N, K]."""
        q = np.zeros(self.shape, np.uint8)
        for p, plane in enumerate(np.array(self.planes)):
            octets = np.ascontiguousarray(plane.astype("<u4")).view("<u1")
            q |= np.unpackbits(octets, axis=-1, bitorder="little") << np.uint8(7 - p)
        return codes_of.sliced(q, self.bits)

    def dequantize(self) -> NDArray[np.float32]:
        return codes_of.values(self.codes(), self.scales, self.biases, self.bits).astype(np.float32)

    def magnitudes(self) -> Float64:
        return codes_of.sizes(self.codes(), self.scales, self.biases, self.bits)


def split(w: Nested) -> Planes:
    """The same weights, bit by bit in planes, at the same width."""
    q = w.bytes_of_codes()
    planes = [
        np.packbits(q >> np.uint8(7 - p) & 1, axis=-1, bitorder="little").view("<u4")
        for p in range(needed(w.bits))
    ]
    return Planes(mx.array(np.stack(planes)), w.scales, w.biases, w.bits)
