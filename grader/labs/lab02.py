"""Lab 02: the textbook matmul, Y[M, N] = X[M, K] · W[K, N]."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Exercise, Float64, Kernel, NearMiss

TILE = 16
"""The edge of the standard launch's threadgroups. Cases sit on it and on either side of it."""


def _oracle(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(values["x"] @ values["w"])


def _magnitude(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(np.abs(values["x"]) @ np.abs(values["w"]))


def _reference() -> Kernel:
    from kernels import textbook

    return textbook.matmul


def launch(source: str) -> Kernel:
    """A function of (x, w) that launches `source` over a grid rounded up to whole 16 × 16 threadgroups.

    The body sees `x`, `w`, `y`, the dtype `T`, and the shapes that MLX adds when it names them.
    """
    kernel: Any = mx.fast.metal_kernel(
        name="lab02", input_names=["x", "w"], output_names=["y"], source=source
    )

    def matmul(x: mx.array, w: mx.array) -> mx.array:
        rows, columns = x.shape[0], w.shape[1]
        outputs: list[mx.array] = kernel(
            inputs=[x, w],
            template=[("T", x.dtype)],
            grid=(-(-columns // TILE) * TILE, -(-rows // TILE) * TILE, 1),
            threadgroup=(TILE, TILE, 1),
            output_shapes=[(rows, columns)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return matmul


# --- wrong formulas -------------------------------------------------------------------------------


def _transposed_store(values: Mapping[str, Float64]) -> Float64 | None:
    return (values["x"] @ values["w"]).T


def _w_transposed(values: Mapping[str, Float64]) -> Float64 | None:
    return values["x"] @ values["w"].reshape(values["w"].shape[::-1]).T


def _x_transposed(values: Mapping[str, Float64]) -> Float64 | None:
    return values["x"].reshape(values["x"].shape[::-1]).T @ values["w"]


def _read_with_stride(array: Float64, stride: int) -> Float64:
    """`array` as it looks to a kernel that takes its rows to be `stride` long.

    Behind the end a checked run reads zero.
    """
    rows, columns = array.shape
    index = np.arange(rows)[:, None] * stride + np.arange(columns)
    flat = array.ravel()
    return np.where(index < flat.size, flat[np.minimum(index, flat.size - 1)], 0.0)


def _w_stride_k(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return x @ _read_with_stride(w, w.shape[0])


def _x_stride_m(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return _read_with_stride(x, x.shape[0]) @ w


def _x_stride_n(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return _read_with_stride(x, w.shape[1]) @ w


def _x_row_zero(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return np.broadcast_to(x[:1] @ w, (x.shape[0], w.shape[1]))


def _w_column_zero(values: Mapping[str, Float64]) -> Float64 | None:
    x, w = values["x"], values["w"]
    return np.broadcast_to(x @ w[:, :1], (x.shape[0], w.shape[1]))


def _first_terms(values: Mapping[str, Float64], terms: int) -> Float64 | None:
    if terms == values["x"].shape[1]:
        return None
    return values["x"][:, :terms] @ values["w"][:terms]


def _summed_over(values: Mapping[str, Float64], terms: int) -> Float64 | None:
    """A loop of `terms` steps: behind K, x goes on with its next row, and w reads as zero behind its end."""
    x, w = values["x"], values["w"]
    rows, length = x.shape
    if terms <= length:
        return _first_terms(values, terms)
    index = np.arange(rows)[:, None] * length + np.arange(terms)
    flat = np.append(x.ravel(), np.zeros(terms))
    return np.asarray(flat[index] @ np.vstack([w, np.zeros((terms - length, w.shape[1]))]))


def _summed_over_n(values: Mapping[str, Float64]) -> Float64 | None:
    return _summed_over(values, values["w"].shape[1])


def _summed_over_m(values: Mapping[str, Float64]) -> Float64 | None:
    return _summed_over(values, values["x"].shape[0])


def _without_last(values: Mapping[str, Float64]) -> Float64 | None:
    return _first_terms(values, values["x"].shape[1] - 1)


def _without_first(values: Mapping[str, Float64]) -> Float64 | None:
    return values["x"][:, 1:] @ values["w"][1:]


def _only_first(values: Mapping[str, Float64]) -> Float64 | None:
    return _first_terms(values, 1)


def _only_last(values: Mapping[str, Float64]) -> Float64 | None:
    """What is left when each product overwrites the sum instead of joining it."""
    return values["x"][:, -1:] @ values["w"][-1:] if values["x"].shape[1] > 1 else None


def _rounded_down(step: int) -> NearMiss:
    def result(values: Mapping[str, Float64]) -> Float64 | None:
        return _first_terms(values, values["x"].shape[1] // step * step)

    return NearMiss(
        "k-tail",
        f"the last K % {step} products of each sum are missing: right only where {step} divides K.",
        f"A loop in steps of {step} leaves up to {step - 1} products over. Add them one by one after it.",
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
        "w is read as if it were [N, K].",
        "w is row-major [K, N], so `w[k, n]` is element `k * N + n`.",
        _w_transposed,
    ),
    NearMiss(
        "x-transposed",
        "x is read as if it were [K, M].",
        "x is row-major [M, K], so `x[m, k]` is element `m * K + k`.",
        _x_transposed,
    ),
    NearMiss(
        "wrong-stride",
        "w is read with K elements to a row; it has N.",
        "w is row-major [K, N], so `w[k, n]` is element `k * N + n`.",
        _w_stride_k,
    ),
    NearMiss(
        "wrong-stride",
        "x is read with M elements to a row; it has K.",
        "x is row-major [M, K], so `x[m, k]` is element `m * K + k`.",
        _x_stride_m,
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
        "every column of y is the product of column 0 of w.",
        "`w[k, n]` is element `k * N + n`: the column must appear in the index.",
        _w_column_zero,
    ),
    NearMiss(
        "wrong-length",
        "each sum runs over N products; it has K.",
        "K is the length of a row of x: `x_shape[1]`, or `w_shape[0]`.",
        _summed_over_n,
    ),
    NearMiss(
        "wrong-length",
        "each sum runs over M products; it has K.",
        "K is the length of a row of x: `x_shape[1]`, or `w_shape[0]`.",
        _summed_over_m,
    ),
    NearMiss(
        "k-tail",
        "the last product of each sum is missing.",
        "k must run over 0, 1, …, K − 1: the loop's test is `k < K`.",
        _without_last,
    ),
    NearMiss(
        "k-head",
        "the first product of each sum is missing.",
        "k must run over 0, 1, …, K − 1: the loop starts at 0.",
        _without_first,
    ),
    NearMiss(
        "overwritten-sum",
        "each sum holds only its last product.",
        "Add to the sum: `sum += …`, not `sum = …`.",
        _only_last,
    ),
    NearMiss(
        "one-product",
        "each sum holds only its first product.",
        "The loop over k must run K times, and the store comes after it.",
        _only_first,
    ),
    *(_rounded_down(step) for step in (2, 4, 8, 16, 32, 64)),
)


def _sizes(m: int, n: int, k: int) -> dict[str, int]:
    return {"M": m, "N": n, "K": k}


CASES = (
    # Small enough to follow by hand, and no two sizes alike.
    Case(_sizes(2, 3, 4)),
    Case(_sizes(1, 1, 1)),
    Case(_sizes(TILE, TILE, TILE)),
    # The same shape twice with other numbers: an answer kept from the first call shows.
    Case(_sizes(TILE, TILE, TILE)),
    # One less and one more than the tile, on every axis.
    Case(_sizes(TILE - 1, TILE + 1, TILE + 1)),
    Case(_sizes(TILE + 1, TILE - 1, TILE - 1)),
    Case(_sizes(31, 33, 32)),
    Case(_sizes(33, 31, 64)),
    # Primes; one row; one column; a single product.
    Case(_sizes(17, 13, 29)),
    Case(_sizes(1, 67, 129)),
    Case(_sizes(67, 1, 33)),
    Case(_sizes(19, 48, 1)),
    Case(_sizes(37, 101, 523)),
    # Small and large numbers: a bound that is absolute would let the first pass and fail the second.
    Case(_sizes(23, 29, 31), scale=1e-3),
    Case(_sizes(23, 29, 31), scale=1e3),
    Case(_sizes(18, 20, 22), data="nan"),
    Case(_sizes(18, 20, 22), data="inf"),
    *(
        case
        for dtype in ("float16", "bfloat16")
        for case in (
            Case(_sizes(2, 3, 4), dtype),
            Case(_sizes(1, 1, 1), dtype),
            Case(_sizes(17, 33, 61), dtype),
            Case(_sizes(19, 48, 1), dtype),
            Case(_sizes(7, 21, 1031), dtype, "positive"),
            Case(_sizes(9, 11, 16), dtype, "cancelling"),
            Case(_sizes(13, 19, 31), dtype, scale=10.0),
            Case(_sizes(13, 19, 31), dtype, scale=0.05),
            Case(_sizes(18, 20, 22), dtype, "nan"),
            Case(_sizes(18, 20, 22), dtype, "inf"),
        )
    ),
)

# --- budgets --------------------------------------------------------------------------------------


def _products(sizes: Mapping[str, int], size: int) -> float:
    return 2.0 * sizes["M"] * sizes["N"] * sizes["K"] * size


def _results(sizes: Mapping[str, int], size: int) -> float:
    return 4.0 * sizes["M"] * sizes["N"] * size


# Chapter 2 asks for nothing faster than the textbook: one load of x and one of w a product. Twice that leaves
# room for other ways to write it, and none for a loop too many.
BUDGETS = (
    Budget(
        "bytes of x asked for",
        lambda counts: counts.read["x"],
        _products,
        "2 · M·N·K elements",
        "Each product takes one element of x. A thread computes its own element of y and no other.",
    ),
    Budget(
        "bytes of w asked for",
        lambda counts: counts.read["w"],
        _products,
        "2 · M·N·K elements",
        "Each product takes one element of w. A thread computes its own element of y and no other.",
    ),
    Budget(
        "bytes stored",
        lambda counts: counts.written,
        _results,
        "4 · M·N elements",
        "Sum in a local variable, which is a register, and store it once.",
    ),
)

SUM_IN_MEMORY = """
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
if (m >= M || n >= N) {
    return;
}
y[m * N + n] = T(0);
for (uint k = 0; k < K; k++) {
    y[m * N + n] += x[m * K + k] * w[k * N + n];
}
"""

EXERCISES = (
    Exercise(
        lab="02",
        name="",
        title="the textbook matmul",
        arguments={"x": ("M", "K"), "w": ("K", "N")},
        result=("y", ("M", "N")),
        oracle=_oracle,
        magnitude=_magnitude,
        terms="K",
        reference=_reference,
        launch=launch,
        cases=CASES,
        near_misses=NEAR_MISSES,
        budgets=BUDGETS,
        budget_case=Case(_sizes(37, 101, 523)),
        unoptimised=SUM_IN_MEMORY,
        steps=(
            "Which threads must leave? One whose row is not below M, or whose column is not below N. "
            "`return;` ends a thread.",
            "The sum is a `float` that starts at 0, and k runs over 0, 1, …, K − 1. Each step adds "
            "x[m, k] · w[k, n]. Convert both factors with `float(…)` before you multiply: two halves "
            "multiply to a half.",
            "`T(sum)` converts the sum to the type of y. Element [m, n] of y lies at `m * N + n`.",
            "In the launch, x of the grid runs along the columns of y and y along its rows: one thread an "
            "element.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. Its last line should store the sum: "
            "`y[m * N + n] = T(sum);`.",
            "writes-past-end": "The last threadgroups stick out over the edge of y. A thread whose row is M "
            "or more, or whose column is N or more, must return before it reads or stores anything.",
        },
    ),
)
