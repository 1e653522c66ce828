"""The GEMM on Q4_0: every tile and dtype, awkward shapes, against gguf's numbers in float64."""

from __future__ import annotations

import mlx.core as mx
import numpy as np
import pytest
from gguf import GGMLQuantizationType, quants

import anymetal
from kernels import tolerance
from kernels.gemm.launch import TILES
from kernels.quantized import q4_0

from .conftest import Draw

DTYPES = [mx.float32, mx.float16, mx.bfloat16]
EVERY_DTYPE = pytest.mark.parametrize("dtype", DTYPES, ids=lambda d: str(d).rsplit(".", 1)[-1])
EVERY_TILE = pytest.mark.parametrize("tile", TILES)

# One, primes, the tiles and their neighbours, whole tiles, several of them.
SHAPES = [
    (1, 1, 32),
    (2, 3, 64),
    (8, 128, 32),
    (9, 127, 96),
    (31, 33, 64),
    (33, 31, 32),
    (64, 64, 128),
    (67, 131, 160),
]


def weights(n: int, k: int, seed: int = 0) -> q4_0.Q4_0:
    numbers = np.random.default_rng([seed, n, k]).standard_normal((n, k)).astype(np.float32)
    return q4_0.quantize(numbers)


def by_gguf(w: q4_0.Q4_0) -> np.ndarray:
    """What the bytes stand for, [N, K], by the gguf package, in float64."""
    n, k = w.shape
    flat = np.array(w.blocks).reshape(n, -1)
    return np.asarray(quants.dequantize(flat, GGMLQuantizationType.Q4_0), np.float64).reshape(n, k)


@EVERY_TILE
@EVERY_DTYPE
def test_against_gguf(draw: Draw, dtype: mx.Dtype, tile: str) -> None:
    for m, n, k in SHAPES:
        x, w = draw((m, k), dtype), weights(n, k)
        y = q4_0.gemm(x, w, tile=tile)
        assert (y.shape, y.dtype) == ((m, n), dtype)
        assert tolerance.quantized_excess(y, x, w) <= 1
        _, bound = tolerance.quantized(x, w)
        assert np.all(np.abs(tolerance.exact(y) - tolerance.exact(x) @ by_gguf(w).T) <= bound)


@EVERY_DTYPE
def test_random_bytes(dtype: mx.Dtype, draw: Draw) -> None:
    """Any scale that is a number: zero, negative, subnormal; and every code beside it."""
    rng = np.random.default_rng(7)
    blocks = rng.integers(0, 256, (37, 3, q4_0.BYTES), dtype=np.uint8)
    blocks[..., 1] &= 0xBB  # exponents that leave room for the sums in a half
    w = q4_0.Q4_0(mx.array(blocks))
    x = draw((19, 96), dtype, scale=0.01)
    assert tolerance.quantized_excess(q4_0.gemm(x, w), x, w) <= 1


def test_a_long_sum(draw: Draw) -> None:
    x, w = draw((9, 11008), mx.float16), weights(17, 11008)
    assert tolerance.quantized_excess(q4_0.gemm(x, w), x, w) <= 1


@pytest.mark.parametrize("dtype", [mx.float16, mx.bfloat16], ids=["float16", "bfloat16"])
@EVERY_TILE
def test_held_in_its_own_dtype_each_weight_is_rounded_once_more(
    draw: Draw, dtype: mx.Dtype, tile: str
) -> None:
    x, w = draw((33, 96), dtype), weights(31, 96)
    y = q4_0.gemm(x, w, tile=tile, held=dtype)
    assert tolerance.quantized_excess(y, x, w) > 1 >= tolerance.quantized_excess(y, x, w, rounded=True)


def test_nan_and_infinity_stay_in_their_row(draw: Draw) -> None:
    x, w = draw((35, 64), mx.float32), weights(33, 64)
    x[3, 5], x[34, 63] = mx.nan, mx.inf
    y = q4_0.gemm(x, w)
    assert tolerance.quantized_excess(y, x, w) <= 1
    assert np.isnan(np.array(y[3])).all()
    assert np.isfinite(np.array(y[4:34])).all()


def test_one_row_may_come_as_a_vector(draw: Draw) -> None:
    x, w = draw((64,), mx.float16), weights(7, 64)
    y = q4_0.gemm(x, w)
    assert y.shape == (7,)
    assert tolerance.quantized_excess(y, x, w) <= 1


@pytest.mark.parametrize("shape", [(0, 3, 32), (2, 0, 32), (2, 3, 0)])
def test_nothing_to_multiply_gives_zeros(shape: tuple[int, int, int]) -> None:
    m, n, k = shape
    w = q4_0.Q4_0(mx.zeros((n, k // 32, q4_0.BYTES), dtype=mx.uint8))
    y = q4_0.gemm(mx.zeros((m, k)), w)
    assert y.shape == (m, n)
    assert not np.array(y).any()


@EVERY_TILE
def test_what_it_asks_for(draw: Draw, tile: str) -> None:
    """Each block once for each tile beside it, no weight written anywhere, every product in MMA."""
    down, across, fm, fn = TILES[tile]
    bm, bn = down * fm * 8, across * fn * 8
    m, n, k = 67, 131, 96
    x, w = draw((m, k), mx.float16), weights(n, k)
    with anymetal.checked() as report:
        mx.eval(q4_0.gemm(x, w, tile=tile))
    assert not report.findings
    tiles_down, tiles_across = -(-m // bm), -(-n // bn)
    c = report.counters
    assert c.buffers["blocks"].bytes_read == tiles_down * w.nbytes
    assert c.buffers["X"].bytes_read == tiles_across * x.nbytes
    assert sum(buffer.bytes_written for buffer in c.buffers.values()) == m * n * 2
    covered = tiles_down * bm * tiles_across * bn * k
    assert c.mma == covered // 512
    # One multiplication a weight of a tile, whose −8 is taken off before it is a float.
    assert c.flops == tiles_down * tiles_across * bn * k


def test_errors(draw: Draw) -> None:
    x, w = draw((2, 64), mx.float16), weights(3, 64)
    with pytest.raises(ValueError, match="K = 32; w is Q4_0 of shape \\[3, 64\\], which needs K = 64"):
        q4_0.gemm(x[:, :32], w)
    with pytest.raises(ValueError, match="tile is 'tall'; it must be one of 'low', 'square', 'large'"):
        q4_0.gemm(x, w, tile="tall")
    with pytest.raises(ValueError, match="held is bfloat16; it must be float32 or x's own dtype, float16"):
        q4_0.gemm(x, w, held=mx.bfloat16)
    with pytest.raises(TypeError, match="weights of class Q4_0"):
        q4_0.gemm(x, mx.zeros((3, 64)))  # type: ignore[arg-type]
