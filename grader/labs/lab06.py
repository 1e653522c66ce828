"""Lab 06: wide GEMV, y[N] = W[N, K] · x[K], with x in threadgroup memory a tile at a time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Exercise, Float64, Kernel, NearMiss
from grader.labs import lab05

SIMDGROUPS, ROWS = 8, 4
"""SIMD-groups of the standard launch's threadgroups, and the outputs of each."""
OUTPUTS = SIMDGROUPS * ROWS
TILE = 512
"""Elements of x that are in threadgroup memory at once: two for each thread."""

Values = Mapping[str, Float64]


def _oracle(values: Values) -> Float64:
    return np.asarray(values["w"] @ values["x"])


def _magnitude(values: Values) -> Float64:
    return np.asarray(np.abs(values["w"]) @ np.abs(values["x"]))


def _reference() -> Kernel:
    from kernels import gemv

    return gemv.wide


def launch(source: str) -> Kernel:
    """A function of (x, w) that launches `source` with a threadgroup of 256 threads for every 32 outputs.
    The body sees `x`, `w`, `y`, the dtype `T`, `TILE`, `ROWS`, and the shapes it names.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab06", input_names=["x", "w"], output_names=["y"], source=source
    )

    def wide(x: mx.array, w: mx.array) -> mx.array:
        n = w.shape[0]
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype), ("TILE", TILE), ("ROWS", ROWS)],
            grid=(32 * SIMDGROUPS * -(-n // OUTPUTS), 1, 1),
            threadgroup=(32 * SIMDGROUPS, 1, 1),
            output_shapes=[(n,)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return wide


# --- wrong formulas -------------------------------------------------------------------------------


def _same_tile_of_x(values: Values) -> Float64 | None:
    x, w = values["x"], values["w"]
    return None if len(x) <= TILE else np.asarray(w @ x[np.arange(len(x)) % TILE])


def _same_tile_of_w(values: Values) -> Float64 | None:
    x, w = values["x"], values["w"]
    return None if len(x) <= TILE else np.asarray(w[:, np.arange(len(x)) % TILE] @ x)


def _first_tile(values: Values) -> Float64 | None:
    x, w = values["x"], values["w"]
    return None if len(x) <= TILE else np.asarray(w[:, :TILE] @ x[:TILE])


def _last_tile(values: Values) -> Float64 | None:
    x, w = values["x"], values["w"]
    begin = (len(x) - 1) // TILE * TILE
    return None if begin == 0 else np.asarray(w[:, begin:] @ x[begin:])


def _whole_tiles(values: Values) -> Float64 | None:
    x, w = values["x"], values["w"]
    end = len(x) // TILE * TILE
    return None if end == len(x) else np.asarray(w[:, :end] @ x[:end])


TILE_MISSES = (
    NearMiss(
        "same-tile",
        f"every tile holds the first {TILE} elements of x.",
        "The tile of this round begins at k0: element k of the tile is `x[k0 + k]`.",
        _same_tile_of_x,
    ),
    NearMiss(
        "same-tile",
        f"every tile meets the first {TILE} elements of its row of w.",
        "Element k of the tile belongs to k0 + k of the row: `w[(n + r) * K + k0 + k]`.",
        _same_tile_of_w,
    ),
    NearMiss(
        "first-step",
        f"only the first {TILE} products of each sum are there: right only while K ≤ {TILE}.",
        "The loop over k0 goes on while k0 is below K, in steps of TILE.",
        _first_tile,
    ),
    NearMiss(
        "last-step",
        "each sum holds the products of the last tile and no others.",
        "The sums live longer than a tile: declare them before the loop over k0, and never clear them in it.",
        _last_tile,
    ),
    NearMiss(
        "k-tail",
        f"the products behind the last whole tile are missing: right only where {TILE} divides K.",
        "The last tile may be narrower: its width is min(TILE, K − k0).",
        _whole_tiles,
    ),
)


def _sizes(n: int, k: int) -> dict[str, int]:
    return {"N": n, "K": k}


# What takes time is compiling: once a dtype, and once more for a K so small that MLX passes x as a constant.
CASES = (
    # Small enough to follow by hand, and the two sizes differ.
    Case(_sizes(3, 9)),
    # Several tiles, the last one narrow; and again with other numbers: an answer kept from before shows.
    Case(_sizes(OUTPUTS, 2 * TILE + 101)),
    Case(_sizes(OUTPUTS, 2 * TILE + 101)),
    # One less and one more than a threadgroup's outputs and a tile.
    Case(_sizes(OUTPUTS - 1, TILE + 1)),
    Case(_sizes(OUTPUTS + 1, TILE - 1)),
    Case(_sizes(ROWS + 1, 3 * TILE)),
    # Primes; one output; a single product.
    Case(_sizes(1, 1303)),
    Case(_sizes(67, 1)),
    Case(_sizes(101, 523)),
    # Small and large numbers: a bound that is absolute would let the first pass and fail the second.
    Case(_sizes(23, 71), scale=1e-3),
    Case(_sizes(23, 571), scale=1e3),
    Case(_sizes(18, 550), data="nan"),
    Case(_sizes(18, 550), data="inf"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(37, 561), dtype),
            Case(_sizes(5, 2053), dtype, "positive"),
            Case(_sizes(11, 16), dtype, "cancelling"),
            Case(_sizes(13, 131), dtype, scale=10.0),
            Case(_sizes(18, 50), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

# Whole blocks of rows, and rows that begin where a sector does: what is left is the kernel's own doing.
BUDGET_CASE = Case(_sizes(4 * OUTPUTS, 2 * TILE + 80))

X_ONCE = Budget(
    "bytes of x asked for",
    lambda counts: counts.read["x"],
    lambda sizes, size: 1.0 * size * sizes["K"] * -(-sizes["N"] // OUTPUTS),
    f"K · ⌈N / {OUTPUTS}⌉ elements, all of x once for {OUTPUTS} outputs",
    "Only the loads that fill the tile may read x itself. Each thread loads its share of a tile, and the "
    "products take x[k] from there.",
)

FOUR_ROWS_FROM_DEVICE_MEMORY = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32 * ROWS;
uint N = w_shape[0];
uint K = w_shape[1];
uint rows = n < N ? min(uint(ROWS), N - n) : 0;
float sums[ROWS] = {};
for (uint k = lane; k < K; k += 32) {
    float xk = x[k];
    for (uint r = 0; r < ROWS; r++) {
        if (r < rows) {
            sums[r] += float(w[(n + r) * K + k]) * xk;
        }
    }
}
for (uint r = 0; r < ROWS; r++) {
    float total = simd_sum(sums[r]);
    if (lane == 0 && r < rows) {
        y[n + r] = T(total);
    }
}
"""

TOO_FEW = (
    f"A threadgroup makes {OUTPUTS} outputs with its {32 * SIMDGROUPS} threads. Round N / {OUTPUTS} up, and "
    "remember that `grid` counts threads."
)

EXERCISES = (
    Exercise(
        lab="06",
        name="",
        title="the wide GEMV",
        arguments={"x": ("K",), "w": ("N", "K")},
        result=("y", ("N",)),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=(*TILE_MISSES, *lab05.ROWS_NEAR_MISSES),
        budgets=(lab05.ONE_LOAD, lab05.COALESCED, X_ONCE),
        budget_case=BUDGET_CASE,
        unoptimised=FOUR_ROWS_FROM_DEVICE_MEMORY,
        steps=(
            "Loading: the tile has `width` elements and there are 256 threads. Let k run from `t` in steps "
            "of 256 while k < width, and copy `x[k0 + k]` to `tile[k]`.",
            "After the loads, a barrier: nobody may multiply before all have loaded. After the products, "
            "another: nobody may load the next tile while someone still multiplies. "
            "`threadgroup_barrier(mem_flags::mem_threadgroup);`, for all threads.",
            "The products are those of lab 05, with `tile[k]` in place of `x[k]`, k from `lane` in steps of "
            "32 while k < width, and `k0 + k` in the index into w.",
            "A SIMD-group past the last row has `rows` = 0. It loads its share and comes to every barrier; "
            "only products and stores ask `r < rows`.",
            "After the loop over k0, each row has its `simd_sum`, for all lanes, and lane 0 stores "
            "`T(total)` where r < rows. The launch has (N + 31) / 32 threadgroups of 256 threads.",
        ),
        hints={
            "half-products": lab05.IN_FLOAT,
            "untouched": "The kernel ran and stored nothing. After the loop over k0, for each row r: "
            "`simd_sum`, and then lane 0 stores `y[n + r]` where r < rows.",
            "writes-past-end": "A tile has room for TILE elements, and y for N. Row n + r is there only "
            "while r < rows.",
            "reads-past-end": "The last tile may be narrower, `width` elements, and the last SIMD-groups may "
            "have fewer than four rows: test r < rows before you read w.",
            "divergent-barrier": "Every thread must come to each barrier. A SIMD-group without rows still "
            "loads its share: do not `return`, test `rows` at the products and at the store.",
            "uninitialised": "Some element of the tile was never loaded. There are 256 threads and up to "
            f"{TILE} elements, so each thread loads in a loop; and the grid must be whole threadgroups.",
            "race": "Two barriers a tile, one between the loads and the products, one between the products "
            "and the next loads, each with `mem_flags::mem_threadgroup`. In y, each element has one owner.",
            "same-value-race": "Two threads store the same number to one place. In the tile, each thread "
            "loads its own share, from `t` in steps of 256; in y, lane 0 stores for its SIMD-group.",
            "grid-too-small": TOO_FEW,
            "partly-unwritten": f"{TOO_FEW} And each of the 8 SIMD-groups stores all its rows.",
        },
    ),
)
