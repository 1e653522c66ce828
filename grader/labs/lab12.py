"""Lab 12: Y[M, N] = X[M, K] · W[N, K]ᵀ with W in blocks of Q4_0, unpacked into tiles, multiplied by MMA."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Encoding, Exercise, Float64, Kernel, NearMiss
from grader.labs import lab09
from kernels import tolerance
from kernels.quantized import q4_0

TILE, BLOCK, FRAGMENT, THREADS = 32, q4_0.BLOCK, 8, 128
"""The standard launch's tile of outputs; a step along K is one block; four SIMD-groups a threadgroup."""

Values = Mapping[str, Float64]


def _encode(values: Values, _case: Case) -> tuple[dict[str, mx.array], dict[str, Float64]]:
    """w [N, K] in Q4_0; what it stands for, how large its two summands are, its codes and its scales."""
    w = q4_0.quantize(values["w"])
    d, q = q4_0.unpack(np.array(w.blocks))
    return {"blocks": w.blocks}, {
        "w": w.dequantize().astype(np.float64),
        "w_size": w.magnitudes(),
        "q": q.astype(np.float64),
        "d": d.astype(np.float64),
    }


def _oracle(values: Values) -> Float64:
    return np.asarray(values["x"] @ values["w"].T)


# Roundings of a term beyond the K of a plain sum: d · q and 8 · d taken away may each round.
FURTHER = 2


def _magnitude(values: Values) -> Float64:
    k = values["x"].shape[1]
    wider = tolerance.gamma(k + FURTHER) / tolerance.gamma(k)
    return np.asarray(wider * (np.abs(values["x"]) @ values["w_size"].T))


def _reference() -> Kernel:
    def matmul(x: mx.array, blocks: mx.array) -> mx.array:
        return q4_0.gemm(x, q4_0.Q4_0(blocks))

    return matmul


def launch(source: str) -> Kernel:
    """A function of (x, blocks) that launches `source` with 128 threads, four SIMD-groups, for each tile of
    32 × 32 outputs.

    The body sees `X`, `blocks`, `Y`, the dtype `T`, and the shapes that MLX adds.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab12", input_names=["X", "blocks"], output_names=["Y"], source=source
    )

    def matmul(x: mx.array, blocks: mx.array) -> mx.array:
        rows, columns = x.shape[0], blocks.shape[0]
        outputs: list[mx.array] = kernel(
            inputs=[x, blocks],
            template=[("T", x.dtype)],
            grid=(_tiles(columns) * THREADS, _tiles(rows), 1),
            threadgroup=(THREADS, 1, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


def _tiles(length: int) -> int:
    return -(-length // TILE)


# --- wrong formulas: other weights ----------------------------------------------------------------


def _weights(kind: str, says: str, hint: str, other: Callable[[Values], Float64 | None]) -> NearMiss:
    """The product with the weights [N, K] that `other` makes; None where they are the right ones."""

    def result(values: Values) -> Float64 | None:
        w = other(values)
        return None if w is None or np.array_equal(w, values["w"]) else np.asarray(values["x"] @ w.T)

    return NearMiss(kind, says, hint, result)


def _of(codes: Float64, d: Float64) -> Float64:
    """[N, K] of codes [N, K / 32, 32], already without their 8, and scales [N, K / 32]."""
    return (codes * d[:, :, None]).reshape(len(d), -1)


def _halves(values: Values) -> tuple[Float64, Float64]:
    """The codes of the low and the high nibbles, [N, K / 32, 16] each, without their 8."""
    return values["q"][:, :, :16] - 8, values["q"][:, :, 16:] - 8


def _interleaved(values: Values) -> Float64:
    low, high = _halves(values)
    return _of(np.stack([low, high], axis=-1).reshape(values["q"].shape), values["d"])


def _swapped(values: Values) -> Float64:
    low, high = _halves(values)
    return _of(np.concatenate([high, low], axis=-1), values["d"])


def _one_half(values: Values, kept: int) -> Float64:
    """Elements 0 to 15, or 16 to 31, twice."""
    half = _halves(values)[kept]
    return _of(np.concatenate([half, half], axis=-1), values["d"])


def _shift_forgotten(values: Values) -> Float64:
    low, high = _halves(values)
    return _of(np.concatenate([low, 16 * (high + 8) - 8], axis=-1), values["d"])


def _scales(change: Callable[[Float64], Float64]) -> Callable[[Values], Float64]:
    """The right codes with other scales; `change` gets and gives [N, K / 32]."""
    return lambda values: _of(values["q"] - 8, change(values["d"]))


def _beside(apart: int) -> Callable[[Float64], Float64]:
    """The scale of a block next to the right one, in the order in which blocks lie in memory."""

    def change(d: Float64) -> Float64:
        moved = np.roll(d.ravel(), -apart)
        moved[-1 if apart > 0 else 0] = 0  # outside of the array a checked run reads zero
        return moved.reshape(d.shape)

    return change


def _of_row(rows: int) -> Callable[[Float64], Float64]:
    """Each row has the scales of the first of its `rows`."""
    return lambda d: d[np.arange(len(d)) // rows * rows]


def _not_turned(values: Values) -> Float64:
    """Each 8 × 8 fragment of W transposed; below its last row, W is zero."""
    w = values["w"]
    n, k = w.shape
    whole = np.zeros((-(-n // FRAGMENT) * FRAGMENT, k))
    whole[:n] = w
    parts = whole.reshape(-1, FRAGMENT, k // FRAGMENT, FRAGMENT)
    return parts.transpose(0, 3, 2, 1).reshape(whole.shape)[:n]


def _first_block(values: Values) -> Float64:
    return np.tile(values["w"][:, :BLOCK], values["w"].shape[1] // BLOCK)


def _products_of_lab09(miss: NearMiss) -> NearMiss:
    """Its formula takes w as [K, N]."""
    return NearMiss(
        miss.kind, miss.says, miss.hint, lambda values: miss.result({"x": values["x"], "w": values["w"].T})
    )


def _own_scale(says: str, change: Callable[[Float64], Float64]) -> NearMiss:
    return _weights(
        "neighbours-scale",
        says,
        "The scale is the first two bytes of the very block whose codes you take. Where one lane reads it "
        "for four, the other three must get it from the first of *their* four: lane `tid % 32 - part`.",
        _scales(change),
    )


NEAR_MISSES = (
    _weights(
        "nibbles-interleaved",
        "byte j of a block is taken for elements 2j and 2j + 1.",
        "Byte j holds element j in its low nibble and element j + 16 in its high one.",
        _interleaved,
    ),
    _weights(
        "nibbles-swapped",
        "the low and the high nibbles have changed places.",
        "Byte j holds element j in its low nibble, `codes & 15`, and element j + 16 in its high one.",
        _swapped,
    ),
    *(
        _weights(
            "half-missing",
            f"elements {there} of each block stand in the place of elements {missing} too.",
            "Each byte is two weights: element j in its low nibble, element j + 16 in its high one.",
            lambda values, kept=kept: _one_half(values, kept),  # type: ignore[misc]
        )
        for kept, there, missing in ((0, "0 to 15", "16 to 31"), (1, "16 to 31", "0 to 15"))
    ),
    _weights(
        "eight-missing",
        "each weight is d · q; it is d · (q − 8).",
        "A code is 0 to 15, and 8 stands for zero: take 8 from it before you multiply by d.",
        lambda values: _of(values["q"], values["d"]),
    ),
    _weights(
        "eight-unscaled",
        "each weight is d · q − 8; it is d · (q − 8).",
        "The 8 is taken from the code, before the scale is applied.",
        lambda values: _of(values["q"], values["d"]) - 8,
    ),
    _weights(
        "shift-missing",
        "the high nibbles count 16 times.",
        "`codes & 0xF0` is 16 times the code: shift it down by 4.",
        _shift_forgotten,
    ),
    _weights(
        "scale-missing",
        "no weight is multiplied by its block's scale.",
        "A block begins with its scale, a half: `as_type<half>` of its first 16 bits.",
        _scales(np.ones_like),
    ),
    _own_scale("each block is multiplied by the scale of the next one.", _beside(1)),
    _own_scale("each block is multiplied by the scale of the one before.", _beside(-1)),
    _own_scale(
        "eight rows of W, those that one SIMD-group unpacks, share the scales of their first.", _of_row(8)
    ),
    _own_scale("all rows of a tile share the scales of the first.", _of_row(TILE)),
    _weights(
        "first-block",
        "each step along K takes the first block of the row again.",
        "Step k0 takes block k0 / 32 of the row: it must appear in the index.",
        _first_block,
    ),
    _weights(
        "fragment-not-turned",
        "each 8 × 8 fragment of W is used untransposed.",
        "A row of `w_tile` is a row of W, and the product wants its columns: "
        "`simdgroup_load(w[j], …, LD, ulong2(0), true)` turns the fragment.",
        _not_turned,
    ),
    NearMiss(
        "transposed",
        "your result is the transpose: the number for `y[m, n]` lies where `y[n, m]` belongs.",
        "Fragments of X come first in `simdgroup_multiply_accumulate`, those of W second.",
        lambda values: np.asarray((values["x"] @ values["w"].T).T),
    ),
    *map(_products_of_lab09, lab09.MMA_MISSES),
)

# --- cases ----------------------------------------------------------------------------------------


def _sizes(m: int, n: int, k: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k}


CASES = (
    # One block a row; one whole tile; the same again with other numbers.
    Case(_sizes(2, 3, BLOCK)),
    Case(_sizes(1, 1, BLOCK)),
    Case(_sizes(TILE, TILE, BLOCK)),
    Case(_sizes(TILE, TILE, BLOCK)),
    # One less and one more than a tile; whole tiles and several steps; primes; one row, one column.
    Case(_sizes(TILE - 1, TILE + 1, 2 * BLOCK)),
    Case(_sizes(TILE + 1, TILE - 1, 3 * BLOCK)),
    Case(_sizes(2 * TILE, 3 * TILE, 2 * BLOCK)),
    Case(_sizes(37, 53, 7 * BLOCK)),
    Case(_sizes(1, 67, 4 * BLOCK)),
    Case(_sizes(67, 1, 2 * BLOCK)),
    Case(_sizes(23, 29, 3 * BLOCK), scale=1e-3),
    Case(_sizes(23, 29, 3 * BLOCK), scale=1e3),
    Case(_sizes(18, 20, 2 * BLOCK), data="nan"),
    Case(_sizes(18, 20, 2 * BLOCK), data="inf"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(33, 35, 2 * BLOCK), dtype),
            Case(_sizes(7, 21, 64 * BLOCK), dtype, "positive"),
            Case(_sizes(13, 19, BLOCK), dtype, scale=10.0),
            Case(_sizes(18, 20, 2 * BLOCK), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------


def _blocks_unpacked(sizes: Mapping[str, int]) -> int:
    return sizes["N"] * sizes["K"] // BLOCK * _tiles(sizes["M"])


BUDGETS = (
    Budget(
        "bytes of blocks asked for",
        lambda counts: counts.read["blocks"],
        lambda sizes, size: 24.0 * _blocks_unpacked(sizes),
        "18 bytes for each block and tile of 32 rows, and 6 for three more threads that read its scale",
        "Unpack each block once for each tile of outputs, all 128 threads together: four threads a block, "
        "each with four bytes of codes, read as two `ushort`, and each byte once.",
    ),
    Budget(
        "bytes written to device memory",
        lambda counts: counts.written,
        lambda sizes, size: float(sizes["M"] * sizes["N"] * size),
        "y, and nothing else",
        "No weight leaves the threadgroup that unpacks it: `w_tile` is where it goes.",
    ),
    Budget(
        "multiply-adds in MMA",
        lambda counts: 512 * counts.mma,
        lambda sizes, size: 0.99 * sizes["M"] * sizes["N"] * sizes["K"],
        "99% of M·N·K",
        "Let `simdgroup_multiply_accumulate` make the products, of fragments that `simdgroup_load` fetched "
        "from the tiles.",
        at_least=True,
    ),
    Budget(
        "floating-point operations of lanes",
        lambda counts: counts.flops,
        lambda sizes, size: 3.0 * _tiles(sizes["M"]) * _tiles(sizes["N"]) * TILE * sizes["K"],
        "3 for each weight of each tile",
        "A weight takes a subtraction and a product. Whatever a lane multiplies beyond that is work for MMA.",
    ),
    Budget(
        "bytes of x asked for",
        lambda counts: counts.read["x"],
        lambda sizes, size: float(sizes["M"] * sizes["K"] * _tiles(sizes["N"]) * size),
        f"M·K·⌈N/{TILE}⌉ elements",
        "All 128 threads load a tile of X into threadgroup memory, each its share, and fragments come from "
        "there.",
    ),
)

IN_LANES = """
uint m0 = threadgroup_position_in_grid.y * 32;
uint n0 = threadgroup_position_in_grid.x * 32;
uint M = X_shape[0];
uint K = X_shape[1];
uint N = blocks_shape[0];
for (uint e = thread_index_in_threadgroup; e < 32 * 32; e += 128) {
    uint m = m0 + e / 32;
    uint n = n0 + e % 32;
    if (m < M && n < N) {
        float sum = 0;
        for (uint b = 0; b < K / 32; b++) {
            device const uchar* block = blocks + (n * (K / 32) + b) * 18;
            float d = float(*(device const half*)block);
            for (uint j = 0; j < 16; j++) {
                uint codes = block[2 + j];
                sum += d * (float(codes & 15) - 8) * float(X[m * K + 32 * b + j]);
                sum += d * (float(codes >> 4) - 8) * float(X[m * K + 32 * b + j + 16]);
            }
        }
        Y[m * N + n] = T(sum);
    }
}
"""

EXERCISES = (
    Exercise(
        lab="12",
        name="",
        title="the Q4_0 GEMM",
        arguments={"x": ("M", "K"), "blocks": ("N", "K/32", "18")},
        result=("y", ("M", "N")),
        encoding=Encoding({"x": ("M", "K"), "w": ("N", "K")}, _encode),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=BUDGETS,
        budget_case=Case(_sizes(37, 70, 3 * BLOCK)),
        unoptimised=IN_LANES,
        steps=(
            "Row r of `w_tile` holds 32 weights: block k0 / 32 of row n0 + r of W. It starts at byte "
            "`((n0 + r) * (K / 32) + k0 / 32) * 18` of `blocks`. Where n0 + r is not below N, the weights "
            "are 0.",
            "128 threads for 32 rows: `uint r = tid / 4, part = tid % 4;`. Each takes four bytes of codes, "
            "which are elements 4 * part … + 3 from the low nibbles and the same + 16 from the high ones.",
            "With `device const ushort* block`, the scale is `float(as_type<half>(block[0]))`, and four "
            "bytes of codes are `block[1 + 2 * part] | uint(block[2 + 2 * part]) << 16`. Byte c of them is "
            "`codes >> (8 * c)`; its nibbles are `& 15` and `>> 4 & 15`; a weight is d * (float(q) - 8).",
            "The products of a step: k = 0, 8, 16, 24. Two fragments of X start at rows fm and fm + 8, "
            "column k of `x_tile`; two of W at rows fn and fn + 8, column k of `w_tile`, and these are "
            "turned: `simdgroup_load(w[j], w_tile + (fn + 8 * j) * LD + k, LD, ulong2(0), true);`. All are "
            "`simdgroup_matrix<float, 8, 8>`.",
            "A barrier before the products and one after them: all rows are unpacked first, and nobody "
            "unpacks the next while someone multiplies. Every x[i] with every w[j]: "
            "`simdgroup_multiply_accumulate(sums[i][j], x[i], w[j], sums[i][j]);`.",
        ),
        hints={
            "all-zero": "The sums are stored as they were cleared. Unpack a block of each row into `w_tile`, "
            "and in each step multiply fragments of both tiles into the sums.",
            "misaligned": "A block is 18 bytes, so it starts at any even place. Read it in pieces of one or "
            "two bytes: `uchar` or `ushort`.",
            "reads-past-end": "The last tile sticks out below the last row of W. Read a block only where "
            "n0 + r is below N, and put zeros into the other rows of `w_tile`.",
            "uninitialised": "Some part of `w_tile` was read and never filled. Each step needs all 32 rows, "
            "and all 32 weights of each; rows outside of W are zeros.",
            "race": "Two barriers: between the unpacking and the products, and between the products and the "
            "next unpacking. Each is a `threadgroup_barrier(mem_flags::mem_threadgroup)`: a SIMD-group reads "
            "rows that others have unpacked.",
            "divergent-barrier": "Every thread must come to each barrier. Put the test for the edge round "
            "the loads, not round the whole step.",
            "half-products": "d * (q - 8) has up to 15 bits, which a float holds and a half does not. Keep "
            "both tiles, and the fragments that are loaded from them, in float, whatever T is.",
            "half-accumulator": "Declare the fragments of sums as `simdgroup_matrix<float, 8, 8>`, whatever "
            "T is, and `y_tile` as float. Convert once, at the last store.",
        },
    ),
)
