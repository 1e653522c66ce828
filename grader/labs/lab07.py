"""Lab 07: the batched GEMV, Y[M, N] = X[M, K] · W[N, K]ᵀ for M from 1 to 16."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Exercise, Float64, Kernel, NearMiss

SIMDGROUPS = 8
"""SIMD-groups a threadgroup in the standard launch. Each owns one row of W."""
LANES = 32
LARGEST = 16
"""The most rows of X that a kernel must take."""


def oracle(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(values["x"] @ values["w"].T)


def magnitude(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(np.abs(values["x"]) @ np.abs(values["w"]).T)


def _reference() -> Kernel:
    from kernels import gemv

    return gemv.batched


def launch(source: str) -> Kernel:
    """A function of (x, w) that launches `source` over whole threadgroups of eight SIMD-groups.

    There is one SIMD-group for each row of w, and up to seven more. The body sees `x`, `w`, `y`, the dtype
    `T`, the number of rows `M`, and the shapes that MLX adds when it names them.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab07", input_names=["x", "w"], output_names=["y"], source=source
    )

    def batched(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = x.shape[0], w.shape[0]
        threads = LANES * SIMDGROUPS
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype), ("M", rows)],
            grid=(-(-columns // SIMDGROUPS) * threads, 1, 1),
            threadgroup=(threads, 1, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return batched


# --- wrong formulas -------------------------------------------------------------------------------


def _transposed_store(values: Mapping[str, Float64]) -> Float64 | None:
    return oracle(values).T


def _w_transposed(values: Mapping[str, Float64]) -> Float64 | None:
    return values["x"] @ values["w"].reshape(values["w"].shape[::-1])


def _x_stride_n(values: Mapping[str, Float64]) -> Float64 | None:
    """Rows of x taken to be N long. Behind the end a checked run reads zero."""
    x, w = values["x"], values["w"]
    index = np.arange(x.shape[0])[:, None] * w.shape[0] + np.arange(x.shape[1])
    flat = x.ravel()
    return np.where(index < flat.size, flat[np.minimum(index, flat.size - 1)], 0.0) @ w.T


def _x_row_zero(values: Mapping[str, Float64]) -> Float64 | None:
    y = oracle(values)
    return np.broadcast_to(y[:1], y.shape)


def _w_row_zero(values: Mapping[str, Float64]) -> Float64 | None:
    y = oracle(values)
    return np.broadcast_to(y[:, :1], y.shape)


def _rows_added(values: Mapping[str, Float64]) -> Float64 | None:
    """What one sum for all rows gives, stored row by row and never cleared."""
    y = oracle(values)
    return np.cumsum(y, axis=0) if y.shape[0] > 1 else None


def _products(keep: Callable[[int], slice | None]) -> Callable[[Mapping[str, Float64]], Float64 | None]:
    """The sum over some of the products: `keep` gives them for a K, or None where they are all there."""

    def result(values: Mapping[str, Float64]) -> Float64 | None:
        x, w = values["x"], values["w"]
        kept = keep(x.shape[1])
        return None if kept is None else x[:, kept] @ w[:, kept].T

    return result


def _first(count: int, of: int) -> slice | None:
    return slice(0, count) if count < of else None


def _rounded_down(step: int) -> NearMiss:
    return NearMiss(
        "k-tail",
        f"the last K % {step} products of each sum are missing: right only where {step} divides K.",
        f"A loop in steps of {step} leaves up to {step - 1} products over. The last step must take those "
        "that are there.",
        _products(lambda length: _first(length // step * step, length)),
    )


def _share_lost(lost: int, of: int) -> NearMiss:
    def result(values: Mapping[str, Float64]) -> Float64 | None:
        x, w = values["x"], values["w"]
        kept = np.arange(x.shape[1]) // LANES % of != lost
        return None if kept.all() else x[:, kept] @ w[:, kept].T

    return NearMiss(
        "simdgroup-lost",
        f"{of} SIMD-groups share each sum, and what number {lost} of them found is not in it.",
        "Every SIMD-group's share must be stored where the last step finds it, and all of them be added.",
        result,
    )


NEAR_MISSES = (
    NearMiss(
        "transposed",
        "your result is the transpose: the number for `y[m, n]` lies where `y[n, m]` belongs.",
        "y is row-major with N columns, so `y[m, n]` is element `m * N + n`. Look at the store.",
        _transposed_store,
    ),
    NearMiss(
        "w-transposed",
        "w is read as if it were [K, N].",
        "w is row-major [N, K], one row an output, so `w[n, k]` is element `n * K + k`.",
        _w_transposed,
    ),
    NearMiss(
        "wrong-stride",
        "x is read with N elements to a row; it has K.",
        "x is row-major [M, K], so `x[m, k]` is element `m * K + k`.",
        _x_stride_n,
    ),
    NearMiss(
        "row-zero",
        "every row of y is the product of row 0 of x.",
        "`x[m, k]` is element `m * K + k`: the row must appear in the index.",
        _x_row_zero,
    ),
    NearMiss(
        "column-zero",
        "every column of y is the product of row 0 of w.",
        "`w[n, k]` is element `n * K + k`: n must appear in the index.",
        _w_row_zero,
    ),
    NearMiss(
        "rows-added",
        "row m of y holds the sum of rows 0 to m of the product.",
        "Each row of x needs a sum of its own, which starts at zero.",
        _rows_added,
    ),
    NearMiss(
        "lane-zero",
        "each sum holds only the products of lane 0: k = 0, 32, 64, …",
        "The other 31 lanes hold the rest. `simd_sum` adds the lanes' shares, once for each row of x.",
        _products(lambda length: slice(0, length, LANES) if length > 1 else None),
    ),
    NearMiss(
        "overwritten-sum",
        "each lane's sum holds only its last product.",
        "Add to the sum: `sums[m] += …`, not `sums[m] = …`.",
        _products(lambda length: slice(length - LANES, length) if length > LANES else None),
    ),
    NearMiss(
        "one-product",
        "each lane's sum holds only its first product.",
        "The loop over k must go on to K in steps of 32.",
        _products(lambda length: _first(LANES, length)),
    ),
    NearMiss(
        "k-tail",
        "the last product of each sum is missing.",
        "k must come to K − 1: the loop's test is `k < K`.",
        _products(lambda length: slice(0, length - 1)),
    ),
    *(_rounded_down(step) for step in (4, 8, 32, 64, 128)),
    *(_share_lost(lost, of) for of in (2, 4, 8) for lost in (0, of - 1)),
)


def _sizes(m: int, n: int, k: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k}


# Each M is a kernel of its own, compiled once a dtype, so float32 has three: one row, a few, the most.
CASES = (
    # Small enough to follow by hand, and no two sizes alike.
    Case(_sizes(3, 2, 5)),
    Case(_sizes(1, 1, 1)),
    # One SIMD-group's width, one less and one more; whole threadgroups and ragged ones. The second shape
    # comes twice with other numbers: an answer kept from the first call shows.
    Case(_sizes(3, 8, 32)),
    Case(_sizes(LARGEST, 17, 33)),
    Case(_sizes(LARGEST, 17, 33)),
    Case(_sizes(LARGEST, 7, 31)),
    Case(_sizes(3, 19, 1)),
    Case(_sizes(LARGEST, 37, 131)),
    Case(_sizes(1, 67, 257)),
    # Small and large numbers: a bound that is absolute would let the first pass and fail the second.
    Case(_sizes(3, 11, 97), scale=1e-3),
    Case(_sizes(3, 11, 97), scale=1e3),
    Case(_sizes(3, 18, 40), data="nan"),
    Case(_sizes(3, 18, 40), data="inf"),
    # Numbers of rows that four and eight do not divide.
    *(
        case
        for dtype, rows in (("float16", 13), ("bfloat16", 6))
        for case in (
            Case(_sizes(rows, 3, 5), dtype),
            Case(_sizes(rows, 19, 1), dtype),
            Case(_sizes(rows, 21, 1031), dtype, "positive"),
            Case(_sizes(rows, 11, 64), dtype, "cancelling"),
            Case(_sizes(rows, 12, 31), dtype, scale=0.05),
            Case(_sizes(rows, 18, 40), dtype, "nan"),
            Case(_sizes(rows, 18, 40), dtype, "inf"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

BUDGETS = (
    Budget(
        "bytes of w asked for",
        lambda counts: counts.read["w"],
        lambda sizes, size: float(sizes["N"] * sizes["K"] * size),
        "N·K elements, each weight once, whatever M is",
        "Load a weight into a variable, then use it for all M rows of x: the loop over m stands inside the "
        "loop over k.",
    ),
    Budget(
        "coalescing of the loads of w",
        lambda counts: counts.coalescing["w"],
        lambda sizes, size: 0.9,
        "0.9 of each sector used",
        "Lanes must lie side by side along a row of w: lane l takes k = l, l + 32, l + 64, …",
        at_least=True,
    ),
    Budget(
        "launches",
        lambda counts: counts.launches,
        lambda sizes, size: 1.0,
        "one",
        "One launch takes all rows of x: M is a template parameter of the kernel, no loop in Python.",
    ),
)

ROW_AFTER_ROW = """
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
for (int m = 0; m < M; m++) {
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        sum += float(x[m * K + k]) * float(w[n * K + k]);
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[m * N + n] = T(sum);
    }
}
"""

EXERCISES = (
    Exercise(
        lab="07",
        name="",
        title="the batched GEMV",
        arguments={"x": ("M", "K"), "w": ("N", "K")},
        result=("y", ("M", "N")),
        oracle=oracle,
        magnitude=magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=BUDGETS,
        # The most rows: a kernel that takes four, five or eight of them at a time asks for each weight again.
        budget_case=Case(_sizes(LARGEST, 40, 256)),
        unoptimised=ROW_AFTER_ROW,
        steps=(
            'In the launch, `template` makes numbers known to the compiler: add the pair `("M", M)`. Each '
            "row of w needs 32 threads, one SIMD-group.",
            "A SIMD-group whose n is not below N has no row of w: all its lanes `return;`.",
            "Every lane needs a sum for each row of x: `float sums[M] = {};` starts them all at zero. M is a "
            "template parameter, so the compiler knows how many there are and keeps them in registers.",
            "The loop over k goes from `lane` in steps of 32. In it, load the weight once, into a `float`. "
            "Then a loop over m multiplies it with x[m, k] and adds to that row's sum.",
            "After the loop each lane holds a share of each sum. For each m, `simd_sum` adds the 32 shares; "
            "all lanes must take part. Then lane 0 stores `y[m * N + n]`.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. It should end with a loop over m that "
            "stores `y[m * N + n]` from lane 0.",
            "writes-past-end": "The last threadgroup may have SIMD-groups with no row of w: those must "
            "return before they store. An array of your own must have an element for each of the M rows.",
            "reads-past-end": "An array of your own must have an element for each of the M rows. Of w and x, "
            "the last element that a lane reads must belong to its row: `k < K`.",
            "partly-unwritten": "Each row of w needs a SIMD-group, 32 threads, and each of those stores M "
            "elements of y.",
            "grid-too-small": "`grid` counts threads. Each row of w takes 32 of them.",
        },
    ),
)
