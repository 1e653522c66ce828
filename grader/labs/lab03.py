"""Lab 03: sums of rows, first by the lanes of a SIMD-group, then by the threads of a threadgroup."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import mlx.core as mx
import numpy as np

from grader.exercise import Budget, Case, Exercise, Float64, Kernel, NearMiss

LANES = 32
SIMDGROUPS = 8
THREADS = LANES * SIMDGROUPS
"""Of the standard launches' threadgroups."""


def _sums(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(values["x"].sum(axis=1))


def _sizes_of_sums(values: Mapping[str, Float64]) -> Float64:
    return np.asarray(np.abs(values["x"]).sum(axis=1))


def _in_every_lane(sums: Float64) -> Float64:
    return np.repeat(sums[:, None], LANES, axis=1)


def _lanes_reference() -> Kernel:
    from kernels import reduction

    return reduction.lanes


def _threadgroup_reference() -> Kernel:
    from kernels import reduction

    return reduction.threadgroup


def _kernel(source: str) -> Any:
    return mx.fast.metal_kernel(name="lab03", input_names=["x"], output_names=["y"], source=source)


def launch_lanes(source: str) -> Kernel:
    """A function of x[M, K] that launches `source` with a SIMD-group for each row, the grid rounded up to
    whole threadgroups of eight. The body sees `x`, `y`, the dtype `T`, and the shapes that MLX adds when it
    names them."""
    kernel = _kernel(source)

    def sums(x: mx.array) -> mx.array:
        rows = x.shape[0]
        outputs: list[mx.array] = kernel(
            inputs=[x],
            template=[("T", x.dtype)],
            grid=(-(-rows // SIMDGROUPS) * THREADS, 1, 1),
            threadgroup=(THREADS, 1, 1),
            output_shapes=[(rows, LANES)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return sums


def launch_threadgroup(source: str) -> Kernel:
    """A function of x[M, K] that launches `source` with a threadgroup of 256 threads for each row."""
    kernel = _kernel(source)

    def sums(x: mx.array) -> mx.array:
        rows = x.shape[0]
        outputs: list[mx.array] = kernel(
            inputs=[x],
            template=[("T", x.dtype)],
            grid=(THREADS, rows, 1),
            threadgroup=(THREADS, 1, 1),
            output_shapes=[(rows,)],
            output_dtypes=[x.dtype],
        )
        return outputs[0]

    return sums


# --- wrong formulas -------------------------------------------------------------------------------

Rows = Callable[[Float64], Float64 | None]
"""From x[M, K] to what a wrong kernel takes for the sums of its rows, [M]."""


def _only(keep: Callable[[Any], Any]) -> Rows:
    """The sum of those elements of a row whose places `keep` marks; None where it marks all."""

    def result(x: Float64) -> Float64 | None:
        kept = np.asarray(keep(np.arange(x.shape[1])), dtype=np.bool_)
        return None if kept.all() else np.asarray(x[:, kept].sum(axis=1))

    return result


def _rounded_down(step: int) -> Rows:
    def result(x: Float64) -> Float64 | None:
        whole = x.shape[1] // step * step
        return None if whole == x.shape[1] else np.asarray(x[:, :whole].sum(axis=1))

    return result


def _by_columns(x: Float64) -> Float64 | None:
    """Rows read with M elements to a row, as if x had been laid down by columns: `x[k * M + m]`."""
    rows, columns = x.shape
    return None if min(rows, columns) == 1 else np.asarray(x.ravel().reshape(columns, rows).sum(axis=0))


def _row_zero(x: Float64) -> Float64 | None:
    return None if len(x) == 1 else np.full(len(x), x[0].sum())


def _overwritten(step: int) -> Rows:
    """Each thread keeps only the last element that it meets."""

    def result(x: Float64) -> Float64 | None:
        return None if x.shape[1] <= step else np.asarray(x[:, -step:].sum(axis=1))

    return result


_TAIL = "Each thread goes on while its own k is below K: `for (uint k = …; k < K; k += …)`."
ROW_MISSES: tuple[tuple[str, str, str, Rows], ...] = (
    (
        "x-transposed",
        "x is read as if its columns were its rows.",
        "x is row-major [M, K], so `x[m, k]` is element `m * K + k`.",
        _by_columns,
    ),
    (
        "row-zero",
        "every element of y is the sum of row 0.",
        "`x[m, k]` is element `m * K + k`: the row must appear in the index.",
        _row_zero,
    ),
    ("k-tail", "the last element of each row is missing.", _TAIL, lambda x: _only(lambda k: k < k[-1])(x)),
    (
        "k-head",
        "the first element of each row is missing.",
        "The first thread starts at k = 0.",
        lambda x: _only(lambda k: k > 0)(x),
    ),
    *(
        (
            "k-tail",
            f"the last K % {step} elements of each row are missing: right only where {step} divides K.",
            _TAIL,
            _rounded_down(step),
        )
        for step in (LANES, THREADS)
    ),
    *(
        (
            "one-step",
            f"only the first {step} elements of each row are in its sum.",
            f"A thread's k does not end with its first: it goes on in steps of {step} while it is below K.",
            lambda x, step=step: _only(lambda k: k < step)(x),
        )
        for step in (LANES, THREADS)
    ),
    *(
        (
            "overwritten-sum",
            f"only the last {step} elements of each row are in its sum: one of each thread's.",
            "Add to the sum: `sum += …`, not `sum = …`.",
            _overwritten(step),
        )
        for step in (LANES, THREADS)
    ),
)


def _miss(kind: str, says: str, hint: str, rows: Rows, every_lane: bool) -> NearMiss:
    def result(values: Mapping[str, Float64]) -> Float64 | None:
        sums = rows(values["x"])
        return sums if sums is None or not every_lane else _in_every_lane(sums)

    return NearMiss(kind, says, hint, result)


def _shares(values: Mapping[str, Float64]) -> Float64:
    """What each lane has before the exchanges, [M, 32]."""
    x = values["x"]
    steps = -(-x.shape[1] // LANES)
    padded = np.zeros((x.shape[0], steps * LANES))
    padded[:, : x.shape[1]] = x
    return np.asarray(padded.reshape(-1, steps, LANES).sum(axis=1))


def _without_exchange(away: int) -> Callable[[Mapping[str, Float64]], Float64 | None]:
    lane = np.arange(LANES)
    together = (lane[:, None] & away) == (lane[None, :] & away)
    return lambda values: _shares(values) @ together


def _shuffled_down(values: Mapping[str, Float64]) -> Float64 | None:
    """simd_shuffle_down: a lane that has none so far up gets its own value back."""
    if values["x"].shape[1] < LANES:
        return None  # lanes that stay away give the same numbers there
    shares, lane = _shares(values), np.arange(LANES)
    for delta in (16, 8, 4, 2, 1):
        shares = shares + shares[:, np.where(lane + delta < LANES, lane + delta, lane)]
    return shares


LANE_MISSES = (
    NearMiss(
        "own-share",
        "each lane stores the sum of its own elements only.",
        "Nothing has been exchanged yet: `sum += simd_shuffle_xor(sum, ushort(16));`, then 8, 4, 2, 1.",
        _shares,
    ),
    *(
        NearMiss(
            "exchange-missing",
            f"the exchange with the lane {away} away is missing: each lane has the sum of half of the lanes.",
            "Five exchanges, 16, 8, 4, 2 and 1 lanes away: each doubles what a lane has taken in.",
            _without_exchange(away),
        )
        for away in (16, 8, 4, 2, 1)
    ),
    NearMiss(
        "one-lane",
        "lane 0 has the whole sum, and the others have parts of it.",
        "`simd_shuffle_down` gives the upper lanes nothing new. With `simd_shuffle_xor`, both lanes of a "
        "pair give and take, and all end with the whole sum.",
        _shuffled_down,
    ),
    NearMiss(
        "one-share",
        "every lane has the share of lane 0.",
        "Each lane adds what its partner has to its own sum: `simd_shuffle_xor(sum, …)`.",
        lambda values: _in_every_lane(_shares(values)[:, 0]),
    ),
    NearMiss(
        "transposed",
        "the rows and the lanes have changed places in y.",
        "y is row-major [M, 32], so `y[m, lane]` is element `m * 32 + lane`. Look at the store.",
        lambda values: np.tile(_sums(values), LANES) if len(values["x"]) > 1 else None,
    ),
    *(_miss(*each, every_lane=True) for each in ROW_MISSES),
)

THREADGROUP_MISSES = (
    NearMiss(
        "simdgroup-lost",
        "only what SIMD-group 0 read is in the sums.",
        "Each SIMD-group's lane 0 puts its sum into threadgroup memory, at `simdgroup_index_in_threadgroup`.",
        lambda values: _only(lambda k: k // LANES % SIMDGROUPS == 0)(values["x"]),
    ),
    NearMiss(
        "simdgroup-lost",
        "what SIMD-group 0 read is missing from the sums.",
        "Add up all eight of the sums in threadgroup memory, from 0 on.",
        lambda values: _only(lambda k: k // LANES % SIMDGROUPS > 0)(values["x"]),
    ),
    NearMiss(
        "simdgroup-lost",
        "what the last SIMD-group read is missing from the sums.",
        "Eight SIMD-groups leave eight sums in threadgroup memory: 0 to 7.",
        lambda values: _only(lambda k: k // LANES % SIMDGROUPS < SIMDGROUPS - 1)(values["x"]),
    ),
    NearMiss(
        "lanes-lost",
        "only what lane 0 of each SIMD-group read is in the sums.",
        "Before lane 0 stores, add up the lanes: `sum = simd_sum(sum);`.",
        lambda values: _only(lambda k: k % LANES == 0)(values["x"]),
    ),
    NearMiss(
        "lanes-lost",
        "only what thread 0 read is in the sums.",
        "Every thread has a share. `simd_sum` adds up those of a SIMD-group; threadgroup memory brings the "
        "SIMD-groups together.",
        lambda values: _only(lambda k: k % THREADS == 0)(values["x"]),
    ),
    *(_miss(*each, every_lane=False) for each in ROW_MISSES),
)


def _sizes(m: int, k: int) -> dict[str, int]:
    return {"M": m, "K": k}


def _cases(step: int) -> tuple[Case, ...]:
    """Rows of less than a step of the threads, of whole steps, and one element to either side."""
    return (
        # Small enough to follow by hand.
        Case(_sizes(2, 5)),
        Case(_sizes(SIMDGROUPS, 2 * step)),
        # The same shape again with other numbers: an answer kept from the first call shows.
        Case(_sizes(SIMDGROUPS, 2 * step)),
        Case(_sizes(SIMDGROUPS - 1, step - 1)),
        Case(_sizes(SIMDGROUPS + 1, step + 1)),
        # Primes; a single element a row; long rows.
        Case(_sizes(1, 67)),
        Case(_sizes(17, 1)),
        Case(_sizes(5, 1031)),
        # Small and large numbers: a bound that is absolute would let the first pass and fail the second.
        Case(_sizes(5, 61), scale=1e-3),
        Case(_sizes(5, 61), scale=1e3),
        Case(_sizes(6, 77), data="nan"),
        Case(_sizes(6, 77), data="inf"),
        *(
            case
            for dtype in ("float16", "bfloat16")
            for case in (
                Case(_sizes(2, 5), dtype),
                Case(_sizes(9, 1031), dtype),
                Case(_sizes(9, step + 1), dtype, "positive"),
                Case(_sizes(3, 61), dtype, scale=0.05),
                Case(_sizes(6, 77), dtype, "nan"),
            )
        ),
    )


# --- budgets --------------------------------------------------------------------------------------

BUDGET_SIZES = _sizes(16, 2000)
_READ_ONCE = Budget(
    "bytes of x asked for",
    lambda counts: counts.read["x"],
    lambda sizes, size: float(sizes["M"] * sizes["K"] * size),
    "M·K elements",
    "Each element of a row is read by one thread, once.",
)
_SIDE_BY_SIDE = Budget(
    "coalescing of x",
    lambda counts: counts.coalescing["x"],
    lambda sizes, size: 0.9,
    "0.9 of what moves is asked for",
    "At every step, the lanes of a SIMD-group read neighbours: lane 0 starts at 0, lane 1 at 1, and all go "
    "on by as many elements as there are threads.",
    at_least=True,
)
LANES_BUDGETS = (
    _READ_ONCE,
    _SIDE_BY_SIDE,
    Budget(
        "cross-lane operations",
        lambda counts: counts.lane_ops,
        # Five exchanges, and room for those who find the sum in one lane and hand it round.
        lambda sizes, size: 8.0 * sizes["M"],
        "8 · M",
        "Five exchanges are enough for 32 lanes: each doubles what a lane has taken in.",
    ),
)
THREADGROUP_BUDGETS = (
    _READ_ONCE,
    _SIDE_BY_SIDE,
    Budget(
        "arrivals at barriers",
        lambda counts: counts.barriers,
        lambda sizes, size: 2.0 * SIMDGROUPS * sizes["M"],
        "2 barriers · 8 SIMD-groups · M",
        "Add up each SIMD-group with `simd_sum` first: then eight sums are left, and one barrier will do.",
    ),
)

ONE_BY_ONE = """
// Each lane asks the lanes 0 to 31 in turn.
uint lane = thread_index_in_simdgroup;
uint m = thread_position_in_grid.x / 32;
uint K = x_shape[1];
if (m >= uint(x_shape[0])) {
    return;
}
float own = 0;
uint each = (K + 31) / 32;
for (uint k = lane * each; k < min(K, (lane + 1) * each); k++) {
    own += float(x[m * K + k]);
}
float sum = 0;
for (ushort other = 0; other < 32; other++) {
    sum += simd_broadcast(own, other);
}
y[m * 32 + lane] = T(sum);
"""

HALVES = """
uint t = thread_index_in_threadgroup;
uint m = threadgroup_position_in_grid.y;
uint K = x_shape[1];
threadgroup float shares[256];
float own = 0;
uint each = (K + 255) / 256;
for (uint k = t * each; k < min(K, (t + 1) * each); k++) {
    own += float(x[m * K + k]);
}
shares[t] = own;
for (uint width = 128; width > 0; width /= 2) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    if (t < width) {
        shares[t] += shares[t + width];
    }
}
if (t == 0) {
    y[m] = T(shares[0]);
}
"""

_HALF_HINT = (
    "Keep the running sum in a `float`: `sum += float(x[…]);`. Convert back once, at the store: `T(sum)`."
)
_BY_HAND = "Do its work with `simd_shuffle_xor`: five exchanges."


def _additions(sizes: Mapping[str, int]) -> float:
    return float(sizes["M"] * sizes["K"])


EXERCISES = (
    Exercise(
        lab="03",
        name="simd_sum",
        title="a sum across lanes",
        arguments={"x": ("M", "K")},
        result=("y", ("M", str(LANES))),
        oracle=lambda values: _in_every_lane(_sums(values)),
        magnitude=lambda values: _in_every_lane(_sizes_of_sums(values)),
        terms="K",
        reference=_lanes_reference,
        launch=launch_lanes,
        cases=_cases(LANES),
        near_misses=LANE_MISSES,
        budgets=LANES_BUDGETS,
        budget_case=Case(BUDGET_SIZES),
        unoptimised=ONE_BY_ONE,
        forbidden=dict.fromkeys(
            ("simd_sum", "simd_prefix_inclusive_sum", "simd_prefix_exclusive_sum", "quad_sum"), _BY_HAND
        ),
        operations=_additions,
        steps=(
            "First each lane by itself: its k is its lane, then 32 more, while that is below K. A lane whose "
            "lane number is K or more adds nothing, and its sum stays 0.",
            "Then the lanes together, and all of them: the exchange stands outside of any `if` that only "
            "some lanes enter. `simd_shuffle_xor(sum, ushort(16))` is the sum of the lane whose number "
            "differs in the bit 16. Add it to your own.",
            "The same again with 8, 4, 2 and 1: `for (ushort away = 16; away > 0; away /= 2)`.",
            "Every lane stores: `y[m * 32 + lane] = T(sum);`.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. Its last line should be "
            "`y[m * 32 + lane] = T(sum);`, in every lane.",
            "writes-past-end": "The grid holds whole threadgroups of eight rows, and M may not be a multiple "
            "of eight. A SIMD-group whose m is M or more must return.",
            "partly-unwritten": "Every lane stores, not only lane 0: 32 numbers a row.",
            "inactive-lane": "A shuffle takes from a lane that is not there: it has returned, or it is in "
            "the other branch. Let all 32 lanes come to the exchange; those without elements bring 0.",
            "half-accumulator": _HALF_HINT,
        },
    ),
    Exercise(
        lab="03",
        name="threadgroup",
        title="a sum across a threadgroup",
        arguments={"x": ("M", "K")},
        result=("y", ("M",)),
        oracle=_sums,
        magnitude=_sizes_of_sums,
        terms="K",
        reference=_threadgroup_reference,
        launch=launch_threadgroup,
        cases=_cases(THREADS),
        near_misses=THREADGROUP_MISSES,
        budgets=THREADGROUP_BUDGETS,
        budget_case=Case(BUDGET_SIZES),
        unoptimised=HALVES,
        operations=_additions,
        steps=(
            "Each thread by itself first: k is its place in the threadgroup, then 256 more, while that is "
            "below K.",
            "`simd_sum(sum)` gives every lane the sum of its SIMD-group. Lane 0 stores it in `partial`, at "
            "the number of its SIMD-group.",
            "Then a barrier that all 256 threads come to: "
            "`threadgroup_barrier(mem_flags::mem_threadgroup);`, outside of every `if`.",
            "Now SIMD-group 0 may read. Lane l takes `partial[l]` where l < 8, and 0 where there is none; "
            "`simd_sum` once more, and one thread stores `y[m]`.",
        ),
        hints={
            "untouched": "The kernel ran and stored nothing. One thread should end with `y[m] = T(total);`.",
            "race": "What one SIMD-group writes to threadgroup memory, another may read only after a "
            "`threadgroup_barrier(mem_flags::mem_threadgroup)` that stands between the two.",
            "same-value-race": "All threads store the same sum into `y[m]`. Let one do it: "
            "`if (thread_index_in_threadgroup == 0)`.",
            "divergent-barrier": "Every thread of the threadgroup must come to the barrier, also one that "
            "has no elements or nothing to store: no `return` before it, and no `if` around it.",
            "uninitialised": "Eight SIMD-groups leave eight sums. The lanes from 8 on must not read: they "
            "bring 0.",
            "half-accumulator": _HALF_HINT,
        },
    ),
)
