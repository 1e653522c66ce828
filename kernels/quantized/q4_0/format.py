"""Q4_0: blocks of 32 weights in 18 bytes, as GGUF stores them. 4.5 bits a weight.

A block is a half ``d`` and 16 bytes. Byte j holds element j in its low nibble and element j + 16 in its high
one, and a nibble q stands for d · (q − 8).

Source: ggml's ``block_q4_0`` (https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h) and
``quantize_row_q4_0_ref`` (https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c).
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.quantized import weights
from kernels.tolerance import Float64

BLOCK = 32
"""Weights of a block."""
BYTES = 18
"""Bytes of a block."""


@dataclass(frozen=True)
class Q4_0:  # the format's own name
    """Weights [N, K] in Q4_0.

    blocks: uint8 [N, K / 32, 18], row-major: the bytes as a GGUF file has them.
    """

    blocks: mx.array

    def __post_init__(self) -> None:
        blocks = self.blocks
        if not isinstance(blocks, mx.array):
            raise TypeError(f"blocks is a {type(blocks).__name__}; it must be an mx.array of uint8.")
        if blocks.dtype != mx.uint8 or blocks.ndim != 3 or blocks.shape[2] != BYTES:
            raise ValueError(
                f"blocks has dtype {blocks.dtype} and shape {tuple(blocks.shape)}; "
                f"Q4_0 needs uint8 of shape [N, K / {BLOCK}, {BYTES}]."
            )

    @property
    def format(self) -> str:
        return "Q4_0"

    @property
    def shape(self) -> tuple[int, int]:
        return self.blocks.shape[0], self.blocks.shape[1] * BLOCK

    @property
    def nbytes(self) -> int:
        return int(self.blocks.nbytes)

    def dequantize(self) -> NDArray[np.float32]:
        """d · (q − 8), exact: a half has 11 bits, q − 8 has 4."""
        d, q = unpack(np.array(self.blocks))
        with np.errstate(invalid="ignore"):  # a file may hold an infinite d
            return ((q.astype(np.float32) - 8) * d[..., None]).reshape(self.shape)

    def magnitudes(self) -> Float64:
        """(q + 8) · |d|: a fused kernel may sum q · x and 8 · x apart."""
        d, q = unpack(np.array(self.blocks))
        with np.errstate(invalid="ignore"):  # a file may hold an infinite d
            return ((q.astype(np.float64) + 8) * np.abs(d[..., None]).astype(np.float64)).reshape(self.shape)


def unpack(blocks: NDArray[np.uint8]) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
    """The scales, [N, K / 32], and the codes 0 … 15 in the order of their elements, [N, K / 32, 32]."""
    d = np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0].astype(np.float32)
    packed = blocks[..., 2:]
    return d, np.concatenate([packed & 15, packed >> 4], axis=-1)


def quantize(w: object) -> Q4_0:
    """Each block's element of largest magnitude, sign included, becomes −8; the others the nearest code.

    Args:
        w: [N, K], an array of floats, of NumPy or MLX. K is a multiple of 32.

    Raises:
        TypeError: w is no array of floats.
        ValueError: its rank or K does not fit.
    """
    values = weights.numbers(w, BLOCK, "Q4_0")
    blocks = values.reshape(values.shape[0], values.shape[1] // BLOCK, BLOCK)
    largest = np.abs(blocks).argmax(axis=-1)[..., None]
    d = np.take_along_axis(blocks, largest, axis=-1) / np.float32(-8)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        inverse = np.where(d == 0, np.float32(0), np.float32(1) / d)
        # In float32, as the C code has it: truncation makes the rounding of x / d visible.
        q = np.trunc(blocks * inverse + np.float32(8.5)).clip(0, 15).astype(np.uint8)
        scale = d.astype("<f2").view(np.uint8)
    packed = q[..., :16] | q[..., 16:] << 4
    return Q4_0(mx.array(np.concatenate([scale, packed], axis=-1)))
