"""Lab 09: GEMM by SIMD-group matrices, Y[M, N] = X[M, K] · W[K, N] with the products in 8 × 8 fragments."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from grader.exercise import Budget, Case, Counts, Exercise, Float64, Kernel, NearMiss
from grader.labs import lab02

TILE, BK = 32, 32
"""The standard launch's tile of outputs, 2 × 2 quarters of 2 × 2 fragments, and its step along K."""
QUARTER, FRAGMENT, THREADS = 16, 8, 128


def _oracle(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(values["x"] @ values["w"])


def _magnitude(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(np.abs(values["x"]) @ np.abs(values["w"]))


def _reference() -> Kernel:
    from kernels import gemm

    return gemm.mma


def launch(source: str) -> Kernel:
    """A function of (x, w) that launches `source` with 128 threads, four SIMD-groups, for each tile of
    32 × 32 outputs.

    The body sees `X`, `W`, `Y`, the dtype `T`, and the shapes that MLX adds.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab09", input_names=["X", "W"], output_names=["Y"], source=source
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = x.shape[0], w.shape[1]
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
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


# --- wrong formulas -------------------------------------------------------------------------------


def _some_products(kind: str, says: str, hint: str, keep: Callable[[int], NDArray[np.bool_]]) -> NearMiss:
    """The sum over those k alone that `keep`, given K, lets through."""

    def result(values: Mapping[str, Float64]) -> Float64 | None:
        kept = keep(values["x"].shape[1])
        return None if kept.all() else np.asarray(values["x"][:, kept] @ values["w"][kept])

    return NearMiss(kind, says, hint, result)


def _moved(kind: str, says: str, hint: str, move: Callable[[Float64], Float64]) -> NearMiss:
    """The right sums in wrong places: `move` gets whole tiles, [tiles down, 32, tiles across, 32]."""

    def result(values: Mapping[str, Float64]) -> Float64 | None:
        right = values["x"] @ values["w"]
        rows, columns = right.shape
        down, across = _tiles(rows), _tiles(columns)
        whole = np.zeros((down * TILE, across * TILE))
        whole[:rows, :columns] = right
        moved = move(whole.reshape(down, TILE, across, TILE))
        return np.asarray(moved.reshape(whole.shape)[:rows, :columns])

    return NearMiss(kind, says, hint, result)


def _blocks_swapped(edge: int, within: int) -> Callable[[Float64], Float64]:
    """In each square of `within`, the block of `edge` in row a, column b lies in row b, column a."""

    def move(tiles: Float64) -> Float64:
        down, _, across, _ = tiles.shape
        outer, inner = TILE // within, within // edge
        parts = tiles.reshape(down, outer, inner, edge, across, outer, inner, edge)
        return parts.transpose(0, 1, 6, 3, 4, 5, 2, 7).reshape(tiles.shape)

    return move


def _fragments(change: Callable[[Float64], Float64]) -> Callable[[Float64], Float64]:
    """`change` gets each fragment as [..., 8, 8]."""

    def move(tiles: Float64) -> Float64:
        down, _, across, _ = tiles.shape
        parts = tiles.reshape(down, 4, FRAGMENT, across, 4, FRAGMENT).transpose(0, 1, 3, 4, 2, 5)
        return change(parts).transpose(0, 1, 4, 2, 3, 5).reshape(tiles.shape)

    return move


_LANE = np.arange(32)
# The first element of each lane, row by row: the real map (chapter 9), and the one that is told.
_HELD = ((_LANE // 4 & 4) + _LANE // 2 % 4) * FRAGMENT + (_LANE // 4 & 2) * 2 + _LANE % 2 * 2


def _by_the_tale(fragments: Float64) -> Float64:
    flat = fragments.reshape(*fragments.shape[:-2], FRAGMENT * FRAGMENT)
    order = np.stack([_HELD, _HELD + 1], axis=1).ravel()
    return flat[..., order].reshape(fragments.shape)


def _first_quarter(values: Mapping[str, Float64], which: str) -> Float64 | None:
    """Each quarter of a tile is made of the first quarter's "rows", "columns" or "rows and columns"."""
    x, w = values["x"], values["w"]
    rows, columns = np.arange(x.shape[0]), np.arange(w.shape[1])
    if "rows" in which:
        rows = rows // TILE * TILE + rows % QUARTER
    if "columns" in which:
        columns = columns // TILE * TILE + columns % QUARTER
    return np.asarray(x[rows] @ w[:, columns])


def _quarter(which: str) -> NearMiss:
    return NearMiss(
        "same-quarter",
        f"all SIMD-groups of a tile compute the same {which}.",
        "SIMD-group `group` owns the quarter whose first row is fm = group / 2 * 16 and whose first column "
        "is fn = group % 2 * 16. fm belongs into the loads of X, fn into those of W, both into the stores.",
        lambda values: _first_quarter(values, which),
    )


MMA_MISSES = (
    _some_products(
        "slices-missing",
        f"only the first {FRAGMENT} products of each step of {BK} along K are there.",
        "A step has four slices of 8: k = 0, 8, 16, 24.",
        lambda k: np.arange(k) % BK < FRAGMENT,
    ),
    _some_products(
        "slices-missing",
        f"the last {FRAGMENT} products of each step of {BK} along K are missing.",
        "A step has four slices of 8: k = 0, 8, 16, 24.",
        lambda k: np.arange(k) % BK < BK - FRAGMENT,
    ),
    _some_products(
        "last-step",
        f"each sum holds the products of the last step of {BK} along K only.",
        "Clear the fragments of sums before the loop over the steps, and add to them in each: the last "
        "argument of `simdgroup_multiply_accumulate` is what is added to.",
        lambda k: np.arange(k) >= (k - 1) // BK * BK,
    ),
    _some_products(
        "last-step",
        f"each sum holds the products of the last slice of {FRAGMENT} only.",
        "The last argument of `simdgroup_multiply_accumulate` is what is added to: give it the sums.",
        lambda k: np.arange(k) >= -(-k // BK) * BK - FRAGMENT,
    ),
    _moved(
        "swapped-quarters",
        "SIMD-groups 1 and 2 have stored their quarters in each other's place.",
        "The quarter's first row is fm and its first column fn, in the loads and in the stores alike.",
        _blocks_swapped(QUARTER, TILE),
    ),
    _moved(
        "swapped-fragments",
        "in each quarter, the fragments at (0, 1) and (1, 0) have changed places.",
        "Fragment sums[i][j] starts 8·i rows down and 8·j columns across.",
        _blocks_swapped(FRAGMENT, QUARTER),
    ),
    _moved(
        "transposed-fragments",
        "each 8 × 8 fragment of y is transposed in its place.",
        "`simdgroup_store` writes row after row, `stride` elements apart. Do not ask it to transpose.",
        _fragments(lambda parts: np.swapaxes(parts, -1, -2)),
    ),
    _moved(
        "lane-map",
        "each lane stores its two elements of a fragment at 2·lane and 2·lane + 1, where they do not belong.",
        "Chapter 9 draws which lane holds what. `simdgroup_store` knows it: use that.",
        _fragments(_by_the_tale),
    ),
    *(_quarter(which) for which in ("rows", "columns", "rows and columns")),
)

# --- cases ----------------------------------------------------------------------------------------


def _sizes(m: int, n: int, k: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k}


CASES = (
    # Small enough to follow by hand; one whole tile; the same again with other numbers.
    Case(_sizes(2, 3, 4)),
    Case(_sizes(1, 1, 1)),
    Case(_sizes(TILE, TILE, BK)),
    Case(_sizes(TILE, TILE, BK)),
    # One less and one more than a fragment and a tile, each axis with another neighbour.
    Case(_sizes(FRAGMENT - 1, FRAGMENT + 1, FRAGMENT)),
    Case(_sizes(TILE - 1, TILE + 1, BK)),
    Case(_sizes(TILE + 1, TILE - 1, BK + 1)),
    # Whole tiles and several steps, primes, one row, one column, a single product.
    Case(_sizes(2 * TILE, 3 * TILE, 2 * BK)),
    Case(_sizes(37, 53, 101)),
    Case(_sizes(1, 67, 129)),
    Case(_sizes(67, 1, 35)),
    Case(_sizes(19, 48, 1)),
    Case(_sizes(23, 29, 41), scale=1e-3),
    Case(_sizes(23, 29, 41), scale=1e3),
    Case(_sizes(18, 20, 38), data="nan"),
    Case(_sizes(18, 20, 38), data="inf"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(33, 35, 61), dtype),
            Case(_sizes(19, 48, 1), dtype),
            Case(_sizes(7, 21, 2063), dtype, "positive"),
            Case(_sizes(9, 11, 16), dtype, "cancelling"),
            Case(_sizes(13, 19, 31), dtype, scale=10.0),
            Case(_sizes(18, 20, 38), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------


def _share_in_mma(counts: Counts) -> float:
    inside, outside = 512 * counts.mma, counts.flops / 2
    return inside / (inside + outside) if inside else 0.0


BUDGETS = (
    Budget(
        "the share of multiply-adds in MMA",
        _share_in_mma,
        lambda sizes, size: 0.99,
        "99% of them",
        "Let `simdgroup_multiply_accumulate` make the products, of fragments that `simdgroup_load` fetched "
        "from the tiles. A lane has nothing left to multiply.",
        at_least=True,
    ),
    Budget(
        "bytes of x asked for",
        lambda counts: counts.read["x"],
        lambda sizes, size: float(sizes["M"] * sizes["K"] * _tiles(sizes["N"]) * size),
        f"M·K·⌈N/{TILE}⌉ elements",
        "All 128 threads load a tile of X into threadgroup memory, each its share, and fragments come from "
        "there. An element of X is asked for once by each tile beside it.",
    ),
    Budget(
        "bytes of w asked for",
        lambda counts: counts.read["w"],
        lambda sizes, size: float(sizes["K"] * sizes["N"] * _tiles(sizes["M"]) * size),
        f"K·N·⌈M/{TILE}⌉ elements",
        "All 128 threads load a tile of W into threadgroup memory, each its share, and fragments come from "
        "there. An element of W is asked for once by each tile below it.",
    ),
)

IN_LANES = """
uint m0 = threadgroup_position_in_grid.y * 32;
uint n0 = threadgroup_position_in_grid.x * 32;
uint M = X_shape[0];
uint K = X_shape[1];
uint N = W_shape[1];
for (uint e = thread_index_in_threadgroup; e < 32 * 32; e += 128) {
    uint m = m0 + e / 32;
    uint n = n0 + e % 32;
    if (m < M && n < N) {
        float sum = 0;
        for (uint k = 0; k < K; k++) {
            sum += float(X[m * K + k]) * float(W[k * N + n]);
        }
        Y[m * N + n] = T(sum);
    }
}
"""

EXERCISES = (
    Exercise(
        lab="09",
        name="",
        title="the GEMM by SIMD-group matrices",
        arguments={"x": ("M", "K"), "w": ("K", "N")},
        result=("y", ("M", "N")),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=(*MMA_MISSES, *lab02.NEAR_MISSES),
        budgets=BUDGETS,
        budget_case=Case(_sizes(37, 101, 203)),
        unoptimised=IN_LANES,
        steps=(
            "Sums: four fragments, declared before the loop over the steps. "
            "`simdgroup_matrix<float, 8, 8> sums[2][2];`, each set to "
            "`make_filled_simdgroup_matrix<float, 8, 8>(0.0f)`. They are float for every T.",
            "The products of a step: k = 0, 8, 16, 24. Two fragments of X start at rows fm and fm + 8, "
            "column k of `x_tile`; two of W at row k, columns fn and fn + 8 of `w_tile`. They are "
            "`simdgroup_matrix<T, 8, 8>`.",
            "`simdgroup_load(x[i], x_tile + (fm + 8 * i) * LD + k, LD);` and "
            "`simdgroup_load(w[j], w_tile + k * LD + fn + 8 * j, LD);`. Then every x[i] with every w[j]: "
            "`simdgroup_multiply_accumulate(sums[i][j], x[i], w[j], sums[i][j]);`.",
            "A barrier before the products and one after them: the loads of all threads come first, and "
            "nobody loads the next tiles while someone multiplies.",
            "The store: each SIMD-group puts its four fragments into `y_tile`, sums[i][j] at row fm + 8·i, "
            "column fn + 8·j, with rows of 32. A barrier. Then a loop over e from `tid` in steps of 128, as "
            "in the loads: element e belongs to row m0 + e / 32 and column n0 + e % 32, if there is one.",
            "In the launch, a tile of 32 × 32 outputs takes a threadgroup of 128 threads: ⌈N / 32⌉ · 128 "
            "threads along x and ⌈M / 32⌉ along y.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. After the loop over the steps, store the "
            "fragments into `y_tile`, wait, and copy what is inside: `Y[m * N + n] = T(y_tile[e]);`.",
            "writes-past-end": "Tiles stick out over the edges of y, and a fragment is stored whole. Let the "
            "fragments go to `y_tile`, and copy an element only where row and column are below M and N.",
            "divergent-barrier": "Every thread must come to each barrier. Put the test for the edge at the "
            "last store, not at the start.",
            "uninitialised": "Some element was never given a value: a fragment of sums that was not cleared, "
            "or a part of a tile that nobody loaded or stored. Outside the matrices, load `T(0)`.",
            "race": "Three places need a barrier: between the loads and the products, between the products "
            "and the next loads, and between the stores into `y_tile` and the copy. Each is a "
            "`threadgroup_barrier(mem_flags::mem_threadgroup)`: a SIMD-group reads what others wrote.",
            "half-accumulator": "Declare the fragments of sums as `simdgroup_matrix<float, 8, 8>`, whatever "
            "T is, and `y_tile` as float. Factors may stay in T. Convert once, at the last store.",
        },
    ),
)
