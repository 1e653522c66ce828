"""Q4_K: super-blocks of 256 weights in 144 bytes, as GGUF stores them. 4.5 bits a weight.

A super-block is a half ``d``, a half ``dmin``, 12 bytes with eight scales and eight minimums of six bits,
and 128 bytes of nibbles. Each of its eight sub-blocks of 32 weights has a scale sc and a minimum m, and a
nibble q stands for d · sc · q − dmin · m. Byte j of the nibbles' i-th piece of 32 bytes holds element j of
sub-block 2i in its low half and element j of sub-block 2i + 1 in its high one.

Source: ggml's ``block_q4_K`` (https://github.com/ggml-org/ggml/blob/master/src/ggml-common.h) and
``get_scale_min_k4`` (https://github.com/ggml-org/ggml/blob/master/src/ggml-quants.c).
"""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from kernels.quantized import weights
from kernels.quantized.q4_k.search import fit
from kernels.tolerance import Float64

BLOCK = 256
"""Weights of a super-block."""
BYTES = 144
"""Bytes of a super-block."""
SUB = 32
"""Weights of a sub-block: those that share a scale and a minimum."""
HEADER = 16
"""Bytes of a super-block before its nibbles."""
# Kernels load 32 bits at once. A super-block is a multiple of that: where the first one fits, all do.
_ALIGNMENT = 4
# Weights quantized at a time: the search keeps several arrays of that size.
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Q4_K:  # the format's own name
    """Weights [N, K] in Q4_K.

    blocks: uint8 [N, K / 256, 144], row-major: the bytes as a GGUF file has them. A view that begins at no
    multiple of 4 bytes in memory is copied, for the kernels to load 32 bits at once.
    """

    blocks: mx.array

    def __post_init__(self) -> None:
        blocks = self.blocks
        if not isinstance(blocks, mx.array):
            raise TypeError(f"blocks is a {type(blocks).__name__}; it must be an mx.array of uint8.")
        if blocks.dtype != mx.uint8 or blocks.ndim != 3 or blocks.shape[2] != BYTES:
            raise ValueError(
                f"blocks has dtype {blocks.dtype} and shape {tuple(blocks.shape)}; "
                f"Q4_K needs uint8 of shape [N, K / {BLOCK}, {BYTES}]."
            )
        if np.array(blocks, copy=False).ctypes.data % _ALIGNMENT:
            object.__setattr__(self, "blocks", mx.array(np.array(blocks)))

    @property
    def format(self) -> str:
        return "Q4_K"

    @property
    def shape(self) -> tuple[int, int]:
        return self.blocks.shape[0], self.blocks.shape[1] * BLOCK

    @property
    def nbytes(self) -> int:
        return int(self.blocks.nbytes)

    def dequantize(self) -> NDArray[np.float32]:
        """d · sc · q − dmin · m. Both products are exact: 11, 6 and 4 bits. Their difference is rounded."""
        scale, minimum, q = self._unpacked()
        return (scale * q - minimum).reshape(self.shape)

    def magnitudes(self) -> Float64:
        scale, minimum, q = (part.astype(np.float64) for part in self._unpacked())
        return (np.abs(scale) * q + np.abs(minimum)).reshape(self.shape)

    def _unpacked(self) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.float32]]:
        """d · sc and dmin · m, [N, K / 256, 8, 1], and the codes, [N, K / 256, 8, 32]."""
        d, dmin, sc, m, q = unpack(np.array(self.blocks))
        scale = d[..., None] * sc.astype(np.float32)
        minimum = dmin[..., None] * m.astype(np.float32)
        return scale[..., None], minimum[..., None], q.astype(np.float32)


def unpack_scales(packed: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The eight scales and the eight minimums, 0 … 63, of 12 bytes: two arrays [..., 8] from [..., 12].

    Bytes 0 to 3 hold scales 0 to 3 in their lower six bits, bytes 4 to 7 minimums 0 to 3. Scales 4 to 7 have
    their lower four bits in the low nibbles of bytes 8 to 11 and their upper two on top of bytes 0 to 3;
    minimums 4 to 7 in the high nibbles, and on top of bytes 4 to 7.
    """
    a, b, c = packed[..., 0:4], packed[..., 4:8], packed[..., 8:12]
    sc = np.concatenate([a & 63, c & 15 | a >> 6 << 4], axis=-1)
    m = np.concatenate([b & 63, c >> 4 | b >> 6 << 4], axis=-1)
    return sc, m


def pack_scales(sc: NDArray[np.uint8], m: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The 12 bytes of which ``unpack_scales`` makes ``sc`` and ``m``, both uint8 [..., 8], 0 … 63."""
    a = sc[..., :4] | sc[..., 4:] >> 4 << 6
    b = m[..., :4] | m[..., 4:] >> 4 << 6
    c = sc[..., 4:] & 15 | m[..., 4:] << 4
    return np.concatenate([a, b, c], axis=-1)


def unpack(
    blocks: NDArray[np.uint8],
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint8]]:
    """All that super-blocks hold, in the order of their elements.

    Args:
        blocks: [..., 144].

    Returns:
        d and dmin, [...]; scales and minimums 0 … 63, [..., 8]; codes 0 … 15, [..., 8, 32].
    """
    halves = np.ascontiguousarray(blocks[..., :4]).view("<f2").astype(np.float32)
    sc, m = unpack_scales(blocks[..., 4:HEADER])
    pieces = blocks[..., HEADER:].reshape(*blocks.shape[:-1], 4, 1, SUB)
    q = np.concatenate([pieces & 15, pieces >> 4], axis=-2)
    return halves[..., 0], halves[..., 1], sc, m, q.reshape(*blocks.shape[:-1], 8, SUB)


def quantize(w: object) -> Q4_K:
    """Weights in Q4_K: scales and minimums by the search that ``q4_k.search`` describes.

    Args:
        w: [N, K], an array of floats, of NumPy or MLX. K is a multiple of 256.

    Raises:
        TypeError: w is no array of floats.
        ValueError: its rank or K does not fit; or it holds a NaN, or numbers too large for a half's scale.
    """
    values = weights.numbers(w, BLOCK, "Q4_K")
    n, k = values.shape
    step = max(1, _CHUNK // max(k, 1))
    chunks = [_packed(values[row : row + step].reshape(-1, k // BLOCK, 8, SUB)) for row in range(0, n, step)]
    empty = np.zeros((n, k // BLOCK, BYTES), np.uint8)
    return Q4_K(mx.array(np.concatenate(chunks) if empty.size else empty))


def _packed(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    """Super-blocks of weights [N, K / 256, 8, 32]."""
    if not np.isfinite(values).all():
        raise ValueError("w holds a NaN or an infinity; Q4_K has codes for finite numbers only.")
    scale, minimum = fit(values)
    d, sc = _shared(scale)
    dmin, m = _shared(minimum)
    step = (d.astype(np.float64)[..., None] * sc)[..., None]
    low = (dmin.astype(np.float64)[..., None] * m)[..., None]
    q = np.rint((values + low) / np.where(step == 0, np.inf, step)).clip(0, 15).astype(np.uint8)
    pieces = q.reshape(*q.shape[:-2], 4, 2, SUB)
    nibbles = (pieces[..., 0, :] | pieces[..., 1, :] << 4).reshape(*q.shape[:-2], BYTES - HEADER)
    halves = np.stack([d, dmin], axis=-1).astype("<f2").view(np.uint8)
    return np.concatenate([halves, pack_scales(sc, m), nibbles], axis=-1)


def _shared(factors: Float64) -> tuple[NDArray[np.float16], NDArray[np.uint8]]:
    """A half for eight factors ≥ 0 and what six bits say of each: the largest becomes 63."""
    with np.errstate(over="ignore"):
        unit = (factors.max(axis=-1) / 63).astype(np.float16)
    if not np.isfinite(unit).all():
        raise ValueError(
            f"w spans {factors.max():g} a step of its codes; Q4_K's scale is a half, at most 65504 · 63."
        )
    exact = unit.astype(np.float64)[..., None]
    codes = np.rint(factors / np.where(exact == 0, np.inf, exact)).clip(0, 63)
    return unit, codes.astype(np.uint8)
