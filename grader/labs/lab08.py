"""Lab 08: tiled GEMM, Y[M, N] = X[M, K] · W[K, N] with both operands staged in threadgroup memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Exercise, Float64, Kernel, NearMiss
from grader.labs import lab02

BM, BN, BK = 16, 16, 32
"""The standard launch's tile of outputs, one a thread, and its step along K."""


def _oracle(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(values["x"] @ values["w"])


def _magnitude(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(np.abs(values["x"]) @ np.abs(values["w"]))


def _reference() -> Kernel:
    from kernels import gemm

    return gemm.tiled


def launch(source: str) -> Kernel:
    """A function of (x, w) that launches `source` with whole threadgroups of BN × BM threads, one a tile.

    The body sees `X`, `W`, `Y`, the dtype `T`, the numbers `BM`, `BN` and `BK`, and the shapes that MLX adds.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab08", input_names=["X", "W"], output_names=["Y"], source=source
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = x.shape[0], w.shape[1]
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype), ("BM", BM), ("BN", BN), ("BK", BK)],
            grid=(_tiles(columns, BN) * BN, _tiles(rows, BM) * BM, 1),
            threadgroup=(BN, BM, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


def _tiles(length: int, edge: int) -> int:
    return -(-length // edge)


# --- wrong formulas -------------------------------------------------------------------------------


def _chosen(values: Mapping[str, Float64], keep: np.ndarray) -> Float64 | None:
    """The sum over some k only; None where that leaves none out."""
    return None if keep.all() else np.asarray(values["x"][:, keep] @ values["w"][keep])


def _step_short(step: int, place: int) -> NearMiss:
    """One product of each full step is left out: its first (0) or its last."""

    def result(values: Mapping[str, Float64]) -> Float64 | None:
        return _chosen(values, np.arange(values["x"].shape[1]) % step != place)

    return NearMiss(
        "step-short",
        f"the {'last' if place else 'first'} product of each step of {step} along K is missing.",
        "In a step, k runs over all of the tile: 0, 1, …, BK − 1.",
        result,
    )


def _last_step(step: int) -> NearMiss:
    def result(values: Mapping[str, Float64]) -> Float64 | None:
        length = values["x"].shape[1]
        return _chosen(values, np.arange(length) >= (length - 1) // step * step)

    return NearMiss(
        "last-step",
        f"each sum holds the products of the last step of {step} along K only.",
        "Declare the sum before the loop over the steps, and add to it in each.",
        result,
    )


def _same_tile(step: int, again: str) -> NearMiss:
    """Each step loads the tile of the first step again, of one argument or of "xw"."""

    def result(values: Mapping[str, Float64]) -> Float64 | None:
        x, w = values["x"], values["w"]
        first = np.arange(x.shape[1]) % step
        return np.asarray((x[:, first] if "x" in again else x) @ (w[first] if "w" in again else w))

    both = {"x": "the tile of X is", "w": "the tile of W is", "xw": "both tiles are"}[again]
    return NearMiss(
        "same-tile",
        f"{both} the first one in every step of {step} along K.",
        "The step's start must appear in the index: k = k0 + the place in the tile.",
        result,
    )


def _first_rows(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return np.asarray(x[np.arange(x.shape[0]) % BM] @ w)


def _first_columns(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return np.asarray(x @ w[:, np.arange(w.shape[1]) % BN])


TILE_MISSES = (
    *(_step_short(step, place) for step in (BK, BM) for place in (step - 1, 0)),
    *(_last_step(step) for step in (BK, BM)),
    *(_same_tile(step, again) for step in (BK, BM) for again in ("x", "w", "xw")),
    NearMiss(
        "tile-origin",
        f"every tile of y is made of the first {BM} rows of x.",
        "A tile's first row, m0, must appear in the index into X.",
        _first_rows,
    ),
    NearMiss(
        "tile-origin",
        f"every tile of y is made of the first {BN} columns of w.",
        "A tile's first column, n0, must appear in the index into W.",
        _first_columns,
    ),
)

# --- cases ----------------------------------------------------------------------------------------


def _sizes(m: int, n: int, k: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k}


CASES = (
    # Small enough to follow by hand; one whole tile; the same again with other numbers.
    Case(_sizes(2, 3, 4)),
    Case(_sizes(1, 1, 1)),
    Case(_sizes(BM, BN, BK)),
    Case(_sizes(BM, BN, BK)),
    # One less and one more than a tile, each axis with another neighbour.
    Case(_sizes(BM - 1, BN + 1, BK)),
    Case(_sizes(BM + 1, BN - 1, BK + 1)),
    Case(_sizes(2 * BM, 3 * BN, BK - 1)),
    # Whole tiles and several steps, primes, one row, one column, a single product.
    Case(_sizes(2 * BM, 3 * BN, 3 * BK)),
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
            Case(_sizes(17, 33, 61), dtype),
            Case(_sizes(19, 48, 1), dtype),
            Case(_sizes(7, 21, 1031), dtype, "positive"),
            Case(_sizes(9, 11, 16), dtype, "cancelling"),
            Case(_sizes(13, 19, 31), dtype, scale=10.0),
            Case(_sizes(18, 20, 38), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

BUDGETS = (
    Budget(
        "bytes of x asked for",
        lambda counts: counts.read["x"],
        lambda sizes, size: float(sizes["M"] * sizes["K"] * _tiles(sizes["N"], BN) * size),
        f"M·K·⌈N/{BN}⌉ elements",
        "Threads load a tile of X into threadgroup memory together, each its share, and the products take "
        "their factors from there. An element of X is asked for once by each tile beside it.",
    ),
    Budget(
        "bytes of w asked for",
        lambda counts: counts.read["w"],
        lambda sizes, size: float(sizes["K"] * sizes["N"] * _tiles(sizes["M"], BM) * size),
        f"K·N·⌈M/{BM}⌉ elements",
        "Threads load a tile of W into threadgroup memory together, each its share, and the products take "
        "their factors from there. An element of W is asked for once by each tile below it.",
    ),
    Budget(
        "further rounds of the banks, of the worst load from threadgroup memory",
        lambda counts: counts.load_conflicts,
        lambda sizes, size: 1.0,
        "one, a two-way conflict",
        "Lanes of a SIMD-group that read a column of a tile all ask one bank. Let neighbouring lanes read "
        "neighbours in a row of the tile, or pad its rows by one element.",
    ),
)

UNTILED = """
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = X_shape[0];
uint K = X_shape[1];
uint N = W_shape[1];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K; k++) {
    sum += float(X[m * K + k]) * float(W[k * N + n]);
}
Y[m * N + n] = T(sum);
"""

EXERCISES = (
    Exercise(
        lab="08",
        name="",
        title="the tiled GEMM",
        arguments={"x": ("M", "K"), "w": ("K", "N")},
        result=("y", ("M", "N")),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=(*TILE_MISSES, *lab02.NEAR_MISSES),
        budgets=BUDGETS,
        budget_case=Case(_sizes(37, 101, 203)),
        unoptimised=UNTILED,
        steps=(
            f"Loading: the tile of X has {BM} × {BK} = {BM * BK} elements and there are {BM * BN} threads. "
            "Let e run from `tid` in steps of the number of threads, while e is below the tile's size.",
            "Element e of the tile of X is in its row e / BK and column e % BK. In the matrix that is row "
            "m = m0 + e / BK, column k = k0 + e % BK. Outside the matrix, store `T(0)`; test both m and k.",
            "The tile of W has BK rows of BN elements: row k = k0 + e / BN, column n = n0 + e % BN.",
            "After the loads, a barrier: nobody may multiply before all have loaded. After the products, "
            "another: nobody may load the next tiles while someone still multiplies. "
            "`threadgroup_barrier(mem_flags::mem_threadgroup);`, for all threads.",
            "The products: k from 0 to BK − 1, `x_tile[i * BK + k]` times `w_tile[k * BN + j]`, both "
            "converted to `float`. The sum is declared before the loop over the steps.",
            "In the launch, round N up to a multiple of BN and M up to one of BM: a tile at the edge needs "
            "all its threads to load.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. Thread (j, i) of a tile owns row m0 + i and "
            "column n0 + j of y: `Y[(m0 + i) * N + n0 + j] = T(sum);`.",
            "writes-past-end": "Tiles stick out over the edges of y. Store only where m0 + i is below M and "
            "n0 + j is below N.",
            "reads-past-end": "Tiles stick out over the edges. Test row and column of each element that you "
            "load, and put `T(0)` into the tile where there is none.",
            "divergent-barrier": "Every thread must come to each barrier. A thread without an output still "
            "loads its share: do not `return`, put the test at the store.",
            "uninitialised": "Some element of a tile was never loaded. A tile may have more elements than "
            "there are threads, so each thread loads in a loop; where the matrix ends, store `T(0)`; and the "
            "grid must be whole threadgroups.",
            "race": "In a tile: two barriers a step, one between the loads and the products, one between the "
            "products and the next loads, each with `mem_flags::mem_threadgroup`. In Y: each element has one "
            "owner, so look at what the store tests.",
            "k-tail": "The last step may be ragged: the loop goes on while k0 is below K, and its tiles hold "
            "zeros past K.",
        },
    ),
)
