"""Lab 05: GEMV, y[N] = W[N, K] · x[K]: one SIMD-group an output, then four outputs a SIMD-group."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Exercise, Float64, Kernel, NearMiss

LANES = 32
SIMDGROUPS = 8
"""SIMD-groups of the standard launch's threadgroups. Cases sit on it and on either side of it."""
ROWS = 4
"""Outputs of a SIMD-group in the second exercise."""

Values = Mapping[str, Float64]


def _oracle(values: Values) -> Float64:
    return np.asarray(values["w"] @ values["x"])


def _magnitude(values: Values) -> Float64:
    return np.asarray(np.abs(values["w"]) @ np.abs(values["x"]))


def _simd() -> Kernel:
    from kernels import gemv

    return gemv.simd


def _rows() -> Kernel:
    from kernels import gemv

    return gemv.rows


def launcher(rows: int) -> Callable[[str], Kernel]:
    """A maker of functions of (x, w) that launch a body over whole threadgroups of 8 SIMD-groups, with a
    SIMD-group for every `rows` outputs. The body sees `x`, `w`, `y`, the dtype `T`, and the shapes it names.
    """

    def launch(source: str) -> Kernel:
        kernel: Any = mx.fast.metal_kernel(
            name="lab05", input_names=["x", "w"], output_names=["y"], source=source
        )

        def gemv(x: mx.array, w: mx.array) -> mx.array:
            threadgroups = -(-w.shape[0] // (rows * SIMDGROUPS))
            outputs: list[mx.array] = kernel(
                inputs=[x, w],
                template=[("T", x.dtype)],
                grid=(LANES * SIMDGROUPS * threadgroups, 1, 1),
                threadgroup=(LANES * SIMDGROUPS, 1, 1),
                output_shapes=[(w.shape[0],)],
                output_dtypes=[x.dtype],
            )
            return outputs[0]

        return gemv

    return launch


# --- wrong formulas -------------------------------------------------------------------------------


def _some_terms(values: Values, chosen: slice | np.ndarray) -> Float64 | None:
    """The sum over some k only; None where those are all of them."""
    x, w = values["x"], values["w"]
    if len(x[chosen]) == len(x):
        return None
    return np.asarray(w[:, chosen] @ x[chosen])


def _lane_zero(values: Values) -> Float64 | None:
    return _some_terms(values, slice(None, None, LANES))


def _last_of_each_lane(values: Values) -> Float64 | None:
    """What is left when each product overwrites its lane's sum: the last that each lane meets."""
    k = np.arange(len(values["x"]))
    return _some_terms(values, k[k + LANES >= len(k)])


def _first_of_each_lane(values: Values) -> Float64 | None:
    return _some_terms(values, slice(0, LANES))


def _without_last(values: Values) -> Float64 | None:
    return _some_terms(values, slice(0, -1))


def _without_first(values: Values) -> Float64 | None:
    return _some_terms(values, slice(1, None))


def _whole_steps(step: int) -> NearMiss:
    def result(values: Values) -> Float64 | None:
        return _some_terms(values, slice(0, len(values["x"]) // step * step))

    return NearMiss(
        "k-tail",
        f"the last K % {step} products of each sum are missing: right only where {step} divides K.",
        f"Steps of {step} leave up to {step - 1} products over. They need a step in which some lanes have "
        "nothing to do.",
        result,
    )


def _columns(values: Values) -> Float64 | None:
    x, w = values["x"], values["w"]
    return x @ w.reshape(w.shape[::-1])


def _stride_n(values: Values) -> Float64 | None:
    """Rows of w taken to be N long; behind its end a checked run reads zero."""
    x, w = values["x"], values["w"]
    index = np.arange(w.shape[0])[:, None] * w.shape[0] + np.arange(w.shape[1])
    flat = w.ravel()
    return np.where(index < flat.size, flat[np.minimum(index, flat.size - 1)], 0.0) @ x


def _row_zero(values: Values) -> Float64 | None:
    return np.broadcast_to(values["w"][0] @ values["x"], values["w"].shape[:1])


def _first_row_of_four(values: Values) -> Float64 | None:
    y = values["w"] @ values["x"]
    return np.asarray(y[np.arange(len(y)) // ROWS * ROWS])


def _four_rows_added(values: Values) -> Float64 | None:
    y = values["w"] @ values["x"]
    padded = np.append(y, np.zeros(-len(y) % ROWS)).reshape(-1, ROWS)
    return np.asarray(np.repeat(padded.sum(axis=1), ROWS)[: len(y)])


NEAR_MISSES = (
    NearMiss(
        "one-lane",
        "each sum holds lane 0's share and no other: the products with k = 0, 32, 64, …",
        "`simd_sum` adds what the lanes that are active give. Call it where all 32 lanes are, and let lane 0 "
        "store afterwards.",
        _lane_zero,
    ),
    NearMiss(
        "w-transposed",
        "w is read as if it were [K, N].",
        "w is row-major [N, K]: `w[n, k]` is element `n * K + k`.",
        _columns,
    ),
    NearMiss(
        "wrong-stride",
        "w is read with N elements to a row; it has K.",
        "w is row-major [N, K]: `w[n, k]` is element `n * K + k`.",
        _stride_n,
    ),
    NearMiss(
        "row-zero",
        "every element of y is the product of row 0 of w.",
        "`w[n, k]` is element `n * K + k`: the row must appear in the index.",
        _row_zero,
    ),
    NearMiss(
        "overwritten-sum",
        "each lane's sum holds only its last product.",
        "Add to the sum: `sum += …`, not `sum = …`.",
        _last_of_each_lane,
    ),
    NearMiss(
        "one-product",
        "each lane's sum holds only its first product.",
        "A lane goes on: k = lane, lane + 32, lane + 64, … while k < K.",
        _first_of_each_lane,
    ),
    NearMiss(
        "k-tail",
        "the last product of each sum is missing.",
        "k must run over 0, 1, …, K − 1: a lane has a product to add while its k is below K.",
        _without_last,
    ),
    NearMiss(
        "k-head",
        "the first product of each sum is missing.",
        "Lane 0 starts at k = 0: a lane's first k is its own number.",
        _without_first,
    ),
    *(_whole_steps(step) for step in (4, 32, 64, 128, 256)),
)

ROWS_NEAR_MISSES = (
    NearMiss(
        "rows-repeated",
        "the four rows of a SIMD-group all hold the product of its first row.",
        "Row r of a SIMD-group is row n + r of w: `w[(n + r) * K + k]`.",
        _first_row_of_four,
    ),
    NearMiss(
        "rows-added",
        "the four rows of a SIMD-group all hold the sum of its four products.",
        "Each row needs a sum of its own: `float sum[4] = {};`.",
        _four_rows_added,
    ),
    *NEAR_MISSES,
)


def _sizes(n: int, k: int) -> dict[str, int]:
    return {"N": n, "K": k}


# What takes time is compiling: once a dtype, and once more for a K so small that MLX passes x as a constant.
CASES = (
    # Small enough to follow by hand, and the two sizes differ.
    Case(_sizes(3, 9)),
    Case(_sizes(SIMDGROUPS, LANES)),
    # The same shape with other numbers: an answer kept from the first call shows.
    Case(_sizes(SIMDGROUPS, LANES)),
    # One less and one more than a threadgroup's outputs and a SIMD-group's lanes.
    Case(_sizes(SIMDGROUPS - 1, LANES + 1)),
    Case(_sizes(SIMDGROUPS + 1, LANES - 1)),
    Case(_sizes(ROWS * SIMDGROUPS - 1, 2 * LANES + 1)),
    Case(_sizes(ROWS * SIMDGROUPS + 1, 2 * LANES)),
    # Primes; one output; a single product.
    Case(_sizes(1, 129)),
    Case(_sizes(67, 1)),
    Case(_sizes(101, 523)),
    # Small and large numbers: a bound that is absolute would let the first pass and fail the second.
    Case(_sizes(23, 71), scale=1e-3),
    Case(_sizes(23, 71), scale=1e3),
    Case(_sizes(18, 50), data="nan"),
    Case(_sizes(18, 50), data="inf"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(37, 61), dtype),
            Case(_sizes(5, 2053), dtype, "positive"),
            Case(_sizes(11, 16), dtype, "cancelling"),
            Case(_sizes(13, 131), dtype, scale=10.0),
            Case(_sizes(18, 50), dtype, "nan"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------

# Whole blocks of four rows, and rows that begin where a sector does: what is left is the kernel's own doing.
BUDGET_CASE = Case(_sizes(128, 512))


def _weights(sizes: Mapping[str, int], size: int) -> float:
    return 1.0 * sizes["N"] * sizes["K"] * size


ONE_LOAD = Budget(
    "bytes of w asked for",
    lambda counts: counts.read["w"],
    _weights,
    "N·K elements, each once",
    "No weight serves two outputs, so none need be loaded twice. Who loads each one in your kernel?",
)
COALESCED = Budget(
    "coalescing of the loads of w",
    lambda counts: counts.coalescing["w"],
    lambda sizes, size: 0.9,
    "0.9 of what moves is asked for",
    "At each step the 32 lanes should read 32 neighbours of one row: lane i takes k = i, i + 32, i + 64, …",
    at_least=True,
)
SHARED_X = Budget(
    "bytes of x asked for",
    lambda counts: counts.read["x"],
    lambda sizes, size: 0.26 * _weights(sizes, size),
    "0.26 · N·K elements, where one row a SIMD-group asks for N·K",
    "Load x[k] into a variable once, and use it for all four rows before you go on to the next k.",
)

ONE_THREAD_AN_OUTPUT = """
uint n = thread_position_in_grid.x;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K; k++) {
    sum += float(w[n * K + k]) * float(x[k]);
}
y[n] = T(sum);
"""

ONE_ROW_AFTER_THE_OTHER = """
uint lane = thread_index_in_simdgroup;
uint first = thread_position_in_grid.x / 32 * 4;
uint N = w_shape[0];
uint K = w_shape[1];
for (uint n = first; n < min(first + 4, N); n++) {
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        sum += float(w[n * K + k]) * float(x[k]);
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[n] = T(sum);
    }
}
"""

PAST_THE_END = (
    "The last threadgroup has SIMD-groups for which there is no row. All their lanes must leave, or have "
    "nothing to do, before anything is read or stored."
)
TOO_FEW = (
    "`grid` counts threads, and a SIMD-group is 32 of them. Work out how many SIMD-groups there must be, and "
    "from that how many threads."
)
IN_FLOAT = (
    "Convert both factors, then multiply, and keep every lane's sum in a `float`: "
    "`sum += float(…) * float(…);`. With the sum split over 32 lanes, products rounded too early and sums "
    "kept in half look alike."
)

EXERCISES = (
    Exercise(
        lab="05",
        name="simd",
        title="one SIMD-group an output",
        arguments={"x": ("K",), "w": ("N", "K")},
        result=("y", ("N",)),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_simd,
        launch=launcher(1),
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=(ONE_LOAD, COALESCED),
        budget_case=BUDGET_CASE,
        unoptimised=ONE_THREAD_AN_OUTPUT,
        steps=(
            "A lane's share of row n are the products with k = lane, lane + 32, lane + 64, … A loop that "
            "starts at `lane` and steps by 32 while `k < K` is right for every K: some lanes leave it one "
            "round earlier.",
            "The sum is a `float`, and both factors are converted before they are multiplied: "
            "`sum += float(w[n * K + k]) * float(x[k]);`.",
            "`simd_sum(sum)` gives every lane the sum over all active lanes. Call it after the loop, outside "
            "any `if` on the lane. Then lane 0 stores `T(sum)`.",
            "A SIMD-group past the last row leaves at the top: `if (n >= N) { return; }`. In the launch, 32 "
            "threads an output, rounded up to whole threadgroups.",
        ),
        hints={
            "half-products": IN_FLOAT,
            "untouched": "The kernel ran and stored nothing. After `simd_sum`, lane 0 stores: "
            "`if (lane == 0) { y[n] = T(sum); }`.",
            "writes-past-end": PAST_THE_END,
            "grid-too-small": f"{TOO_FEW} One SIMD-group an output makes 32 · N.",
            "partly-unwritten": f"{TOO_FEW} One SIMD-group an output makes 32 · N.",
        },
    ),
    Exercise(
        lab="05",
        name="rows",
        title="four outputs a SIMD-group",
        arguments={"x": ("K",), "w": ("N", "K")},
        result=("y", ("N",)),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_rows,
        launch=launcher(ROWS),
        cases=CASES,
        near_misses=ROWS_NEAR_MISSES,
        budgets=(ONE_LOAD, COALESCED, SHARED_X),
        budget_case=BUDGET_CASE,
        unoptimised=ONE_ROW_AFTER_THE_OTHER,
        steps=(
            "The loop over k is the one of the first exercise. Inside it, x[k] is loaded once, into a "
            "variable, and a short loop over r = 0 … 3 uses it for rows n, n + 1, n + 2 and n + 3.",
            "Four rows need four sums: `float sum[4] = {};`. The loops over r have a fixed length, so the "
            "compiler unrolls them and the array becomes four registers.",
            "When N is no multiple of 4, the last SIMD-group has fewer rows, and one past the end has none: "
            "`uint rows = n < N ? min(4u, N - n) : 0;`. Give the inner loop a test, `if (r < rows)`: it is "
            "the same for all lanes.",
            "After the loop, every row has its own `simd_sum`, and lane 0 stores `y[n + r]`. The launch has "
            "a SIMD-group for each four rows: (N + 3) / 4 of them, 32 threads each.",
        ),
        hints={
            "half-products": IN_FLOAT,
            "untouched": "The kernel ran and stored nothing. After the loop, for each row r: `simd_sum`, and "
            "then lane 0 stores `y[n + r]`.",
            "writes-past-end": f"{PAST_THE_END} And the last one that has rows may have fewer than four.",
            "reads-past-end": "The last SIMD-group may have fewer than four rows: row n + r is there only "
            "while n + r < N.",
            "grid-too-small": f"{TOO_FEW} Four outputs a SIMD-group make (N + 3) / 4 SIMD-groups.",
            "partly-unwritten": f"{TOO_FEW} Four outputs a SIMD-group make (N + 3) / 4 SIMD-groups, and the "
            "last one may have fewer than four rows: they count too.",
        },
    ),
)
