"""From wrong numbers to what went wrong.

Each rule looks at the evidence of one failing case and answers with a diagnosis or None. Rules are listed
with the most telling first. A rule must rest on what the kernel *did*: where it wrote, whether an element
changes with what the output held before, which wrong formula gives the same numbers.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from grader.exercise import Case, Exercise, Float64
from grader.tolerance import ROUND_OFF, agrees, gamma
from grader.watch import Launch

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Diagnosis:
    """What is wrong, in words for the learner. `kind` is the stable name that tests and tables use."""

    kind: str
    says: str
    hint: str = ""
    near_miss: bool = False
    """A wrong formula of the exercise's own, which explains every element."""
    telling: bool = True
    """False where the formula fits but proves nothing: it gives NaN everywhere, as other mistakes do."""


@dataclass(frozen=True)
class Evidence:
    """One failing case. Arrays are float64 and have the result's shape."""

    exercise: Exercise
    case: Case
    values: Mapping[str, Float64]
    got: Float64
    want: Float64
    tolerance: Float64
    magnitude: Float64
    launches: Sequence[Launch]
    poisons: tuple[float, float]
    """What the outputs held before the kernel ran, in the call that gave `got` and in the next."""
    repoisoned: Float64
    """The result of the same call again, with the second poison."""
    previous: Float64 | None
    """The right answer of the case before, where its shape was the same."""

    @property
    def right(self) -> Mask:
        return agrees(self.got, self.want, self.tolerance)

    @property
    def unwritten(self) -> Mask:
        """Elements that hold whatever they held before the kernel ran."""
        return np.asarray((self.got == self.poisons[0]) & (self.repoisoned == self.poisons[1]))

    @property
    def kept_init_value(self) -> Mask:
        """The same, where the learner set `init_value` and so hid the poison."""
        fills = {launch.fill for launch in self.launches if launch.fill == launch.fill}
        return np.asarray(np.isin(self.got, list(fills)) & ~self.right)

    @property
    def y(self) -> str:
        return self.exercise.result[0]


Rule = Callable[[Evidence], Diagnosis | None]


def diagnose(evidence: Evidence) -> list[Diagnosis]:
    """Every diagnosis that fits this case, the most telling first. Never empty."""
    with np.errstate(all="ignore"):  # NaN and infinity are among the data, and anything among the results
        found = [diagnosis for rule in RULES if (diagnosis := rule(evidence)) is not None]
        misses = _near_misses(evidence)
        found += [miss for miss in misses if miss.telling]
        found += [diagnosis for rule in LATE_RULES if (diagnosis := rule(evidence)) is not None]
        found += [miss for miss in misses if not miss.telling]
    hints = evidence.exercise.hints
    return [replace(each, hint=hints.get(each.kind, each.hint)) for each in found]


# --- rules about what was written -----------------------------------------------------------------


def _untouched(e: Evidence) -> Diagnosis | None:
    if e.unwritten.all() or (e.kept_init_value.all() and e.got.size > 0):
        return Diagnosis(
            "untouched",
            f"no element of {e.y} was written.",
            f"The kernel ran and stored nothing. It must end with a store such as `{e.y}[index] = result;`.",
        )
    return None


def _grid_too_small(e: Evidence) -> Diagnosis | None:
    unwritten = e.unwritten | e.kept_init_value
    if e.got.ndim != 2 or not unwritten.any() or len(e.launches) != 1:
        return None
    columns, rows = (*e.launches[0].grid, 1)[:2]
    if rows == 1 and not re.search(r"\.(y|xy)\b|\buint[23]\b", e.launches[0].source):
        return None  # a kernel that knows one axis, and divides it up itself
    written = np.zeros_like(unwritten)
    written[:rows, :columns] = True
    # A grid that would cover the transpose has its axes swapped.
    swapped = columns >= e.got.shape[0] and rows >= e.got.shape[1]
    if swapped or (written == unwritten).any():
        return None
    return Diagnosis(
        "grid-too-small",
        f"the launch made {columns} × {rows} threads, and {e.y} has {e.got.shape[1]} × {e.got.shape[0]} "
        "elements.",
        "`grid` counts threads, not threadgroups. One thread an output takes at least (columns, rows, 1).",
    )


def _no_simdgroup_an_output(e: Evidence) -> Diagnosis | None:
    """Lanes are to add up, and there are no more threads than outputs, or columns of outputs."""
    if e.got.ndim not in (1, 2) or e.got.size == 0 or len(e.launches) != 1:
        return None
    launch = e.launches[0]
    threads, count = math.prod(launch.grid), e.got.shape[-1]
    if launch.counters is None or not launch.counters.lane_ops or threads > count:
        return None
    if e.got.ndim == 2 and not (e.unwritten | e.kept_init_value).any():
        return None  # a SIMD-group may well own 32 columns
    return Diagnosis(
        "grid-too-small",
        f"{e.y} has {count} {'elements' if e.got.ndim == 1 else 'columns'} and the launch made {threads} "
        "threads, for a kernel whose lanes add up what they have: a SIMD-group takes 32.",
        "`grid` counts threads, not SIMD-groups.",
    )


def _axes_swapped(e: Evidence) -> Diagnosis | None:
    """Tall results miss their last rows, wide ones their last columns: two axes are swapped."""
    unwritten = e.unwritten | e.kept_init_value
    if e.got.ndim != 2 or not unwritten.any() or len(e.launches) != 1:
        return None
    rows, columns = e.got.shape
    width, height = (*e.launches[0].grid, 1)[:2]
    counters = e.launches[0].counters
    share = counters is not None and counters.lane_ops > 0  # lanes share an output, whatever axis it is on
    if min(width, height) == 1 and (share or min(rows, columns) > 1):
        return None  # a grid of one axis, which the kernel divides up itself
    missing_rows, missing_columns = _tail(_every(unwritten, 1)), _tail(_every(unwritten, 0))
    tall = rows > columns and width < rows and missing_rows == rows - width
    wide = columns > rows and height < columns and missing_columns == columns - height
    # With a guard on each axis, what was written is what the swapped grid covers.
    tall = tall or (rows > columns and 0 < missing_rows <= rows - columns and width < rows)
    wide = wide or (columns > rows and 0 < missing_columns <= columns - rows and height < columns)
    if not (tall or wide):
        return None
    part = _last(missing_rows, "row") if tall else _last(missing_columns, "column")
    return Diagnosis(
        "axes-swapped",
        f"{part} of {e.y} {_were(part)} never written: rows and columns have changed places somewhere.",
        "If the grid is (columns, rows, 1), a thread's x is its column and y its row. Look at the grid, "
        "at the two indices, and at the guard.",
    )


def _partly_unwritten(e: Evidence) -> Diagnosis | None:
    unwritten = e.unwritten | e.kept_init_value
    if not unwritten.any() or not (e.right | unwritten).all():
        return None
    part = where(unwritten)
    never = f"{part} of {e.y} {_were(part)} never written; the rest is right."
    return Diagnosis(
        "partly-unwritten",
        f"no element of {e.y} was ever written." if unwritten.all() else never,
        "Look at the guard and at the grid: which threads should have stored these, and do they exist?",
    )


def _reads_own_output(e: Evidence) -> Diagnosis | None:
    change = e.poisons[0] - e.poisons[1]
    follows = np.abs(e.got - e.repoisoned - change) <= 0.01 * abs(change)
    if not (follows & ~e.unwritten).any():
        return None
    return Diagnosis(
        "reads-own-output",
        f"the result depends on what {e.y} held before the kernel ran.",
        "The memory of an output is not cleared. Sum in a local variable and store it once: "
        f"`{e.y}[i] = sum;`, not `{e.y}[i] += ...;`.",
    )


def _stale(e: Evidence) -> Diagnosis | None:
    if e.previous is None or not agrees(e.got, e.previous, e.tolerance).all():
        return None
    if not np.isfinite(e.previous).any() or not e.got.any():
        return None  # NaN or zero everywhere is what many mistakes give, and proves nothing
    return Diagnosis(
        "stale",
        "this is the answer to the previous call, which had the same shapes and other numbers.",
        "Launch the kernel in every call. Keep the kernel object if you like, never its result.",
    )


# --- wrong formulas -------------------------------------------------------------------------------


def _near_misses(e: Evidence) -> list[Diagnosis]:
    found = []
    got, want = e.got.ravel(), e.want.ravel()
    # The wrong formula rounds as the right one does, so the right one's bound serves, at its widest: a wrong
    # formula may pair an element with another's terms.
    allowed = np.full(want.shape, np.max(e.tolerance, where=np.isfinite(e.tolerance), initial=0.0))
    for miss in e.exercise.near_misses:
        result = miss.result(e.values)
        if result is None:
            continue
        wrong = result.ravel()
        if not agrees(got, wrong, allowed).all():
            continue
        tells = np.isfinite(wrong) & ~agrees(wrong, want, 4 * allowed)
        found.append(Diagnosis(miss.kind, miss.says, miss.hint, near_miss=True, telling=bool(tells.any())))
    return found


def _scaled(e: Evidence) -> Diagnosis | None:
    finite = np.isfinite(e.got) & np.isfinite(e.want)
    if finite.sum() < 4 or not finite.all():
        return None
    got, want = e.got[finite], e.want[finite]
    factor = float(got @ want / max(float(want @ want), 1e-300))
    slack = e.tolerance[finite] * max(1.0, abs(factor)) + ROUND_OFF[e.case.dtype] * np.abs(got)
    if abs(factor) < 1e-12 or abs(factor - 1) < 1e-3 or not (np.abs(got - factor * want) <= 4 * slack).all():
        return None
    terms = e.case.sizes[e.exercise.terms]
    name = f"1/{e.exercise.terms}" if abs(factor * terms - 1) < 1e-3 and terms > 1 else f"{factor:.4g}"
    return Diagnosis(
        "scaled",
        f"every element is {name} times what it should be.",
        "One factor too many or too few: a mean instead of a sum, a term counted twice, a sign.",
    )


# --- NaN and infinity -----------------------------------------------------------------------------


def _nan_swallowed(e: Evidence) -> Diagnosis | None:
    special = ~np.isfinite(e.want)
    lost = special & ~e.right
    if not lost.any() or not e.right[~special].all():
        return None
    return Diagnosis(
        "nan-swallowed",
        f"an input holds a NaN or an infinity, and {where(lost)} of {e.y} "
        f"{'hides' if lost.sum() == 1 else 'hide'} it.",
        "Multiply and add every pair, whatever it holds. A test such as `if (v != 0)` loses a NaN.",
    )


def _reads_past_end(e: Evidence) -> Diagnosis | None:
    leaked = np.isnan(e.got) & np.isfinite(e.want) & ~e.unwritten
    if not leaked.any() or e.case.data in ("nan", "inf"):
        return None
    return Diagnosis(
        "reads-past-end",
        f"{where(leaked)} of {e.y} took in a number from outside the inputs.",
        "The grader puts NaN before and behind each input. Look at the loop's limits and at each index: the "
        "last one read must belong to the array.",
    )


def _nan_spread(e: Evidence) -> Diagnosis | None:
    spread = np.isnan(e.got) & np.isfinite(e.want) & ~e.unwritten
    if not spread.any() or e.case.data not in ("nan", "inf"):
        return None
    return Diagnosis(
        "nan-spread",
        f"one NaN or infinity in an input reaches {where(spread)} of {e.y}, which must not see it.",
        "0 × NaN is NaN: leave a term out with a branch, not by multiplying it by zero.",
    )


# --- rounding -------------------------------------------------------------------------------------


def _half_products(e: Evidence) -> Diagnosis | None:
    """Each product rounded once to the input's type, then added in float."""
    if e.case.dtype == "float32" or len(e.exercise.arguments) < 2:
        return None
    if not agrees(e.got, e.want, e.tolerance + 2 * ROUND_OFF[e.case.dtype] * e.magnitude).all():
        return None
    # The numbers cannot tell a product's rounding from a factor's, where a factor is unpacked first.
    rounded = "products" if e.exercise.encoding is None else "unpacked numbers, or the products with them,"
    return Diagnosis(
        "half-products",
        f"the {rounded} are rounded to {e.case.dtype} before they are added.",
        "A half times a half is a half. Convert first, multiply then: `float(a) * float(b)`.",
    )


def _half_accumulator(e: Evidence) -> Diagnosis | None:
    """Off by no more than K roundings to the input's type can explain, with the right answer otherwise."""
    if e.case.dtype == "float32":
        return None
    terms = e.case.sizes[e.exercise.terms]
    limit = min(gamma(terms, e.case.dtype), 1.0) * e.magnitude + e.tolerance
    if not agrees(e.got, e.want, limit).all():
        return None
    times = np.max(np.abs(e.got - e.want) / e.tolerance, where=np.isfinite(e.want), initial=0.0)
    return Diagnosis(
        "half-accumulator",
        f"the sum is kept in {e.case.dtype}: right in float32, off here by {times:.1f} times what a "
        "float32 sum may be.",
        "Keep the running sum in a `float`, and convert each factor before you multiply: "
        "`sum += float(a) * float(b);`. Convert back once, at the store.",
    )


# --- which part -----------------------------------------------------------------------------------


def _one_lane(e: Evidence) -> Diagnosis | None:
    """Columns 0, p, 2p, … are right, and those between repeat them."""
    if e.got.ndim != 2 or e.got.shape[1] < 3:
        return None
    right = np.flatnonzero(e.right.all(axis=0))
    if len(right) == 0 or right[0] != 0:
        return None
    step = int(right[1]) if len(right) > 1 else e.got.shape[1]
    owner = np.arange(e.got.shape[1]) // step * step
    if step < 2 or not np.array_equal(right, np.unique(owner)):
        return None
    if not np.array_equal(e.got[:, owner], e.got, equal_nan=True):
        return None
    return Diagnosis(
        "one-lane",
        f"only {'column 0' if len(right) == 1 else f'every {step}th column'} of {e.y} is right, and the "
        "columns after it repeat it.",
        "One lane's number reaches all lanes of its SIMD-group. Each thread must store its own.",
    )


def _part_right(e: Evidence) -> Diagnosis | None:
    right = e.right
    if not right.any() or right.all():
        return None
    share = right.mean()
    if share <= 0.5:
        return Diagnosis(
            "part-right", f"only {where(right)} of {e.y} {'is' if right.sum() == 1 else 'are'} right.",
            "See what the threads of the right elements have in common, and what changes for the next one.",
        )  # fmt: skip
    return Diagnosis(
        "edge-wrong" if _is_edge(~right) else "part-wrong",
        f"{where(~right)} of {e.y} {'is' if (~right).sum() == 1 else 'are'} wrong; the rest is right.",
        "Work out by hand what the thread of the first wrong element does: its row, its column, its loop.",
    )


def _all_zero(e: Evidence) -> Diagnosis | None:
    if e.got.any() or e.got.size == 0:
        return None
    return Diagnosis(
        "all-zero",
        f"every element of {e.y} is 0.",
        "The kernel stored its sums, and nothing was added to them; or what was added was 0, as from a tile "
        "that nobody filled.",
    )


def _wrong_values(e: Evidence) -> Diagnosis | None:
    return Diagnosis(
        "wrong-values",
        f"the numbers in {e.y} are wrong." if not e.right.any() else f"{where(~e.right)} of {e.y} are wrong.",
        "Take the smallest failing case and follow one thread by hand: which elements does it read?",
    )


RULES: tuple[Rule, ...] = (
    _untouched,
    _grid_too_small,
    _no_simdgroup_an_output,
    _axes_swapped,
    _reads_own_output,
    _partly_unwritten,
    _stale,
)
LATE_RULES: tuple[Rule, ...] = (
    _scaled,
    _nan_swallowed,
    _reads_past_end,
    _nan_spread,
    _one_lane,
    _half_products,
    _half_accumulator,
    _part_right,
    _all_zero,
    _wrong_values,
)


# --- words for places -----------------------------------------------------------------------------


def where(mask: Mask) -> str:
    """A phrase for the set of elements: "column 0", "the last 3 rows", "5 of 77 elements"."""
    if mask.all():
        return "every element"
    if mask.ndim == 2:
        rows, columns = ~_every(~mask, 1), ~_every(~mask, 0)
        if np.array_equal(mask, np.broadcast_to(rows[:, None], mask.shape)):
            return _run(rows, "row")
        if np.array_equal(mask, np.broadcast_to(columns[None, :], mask.shape)):
            return _run(columns, "column")
        edge = _edges(mask)
        if edge:
            return edge
    elif mask.ndim == 1:
        return _run(mask, "element")
    return f"{int(mask.sum())} of {mask.size} elements"


def _run(chosen: Mask, name: str) -> str:
    places = np.flatnonzero(chosen)
    if len(places) == 1:
        return f"{name} {places[0]}"
    if places[-1] - places[0] + 1 == len(places):
        if places[-1] == len(chosen) - 1:
            return _last(len(places), name)
        if places[0] == 0:
            return f"the first {len(places)} {name}s"
        return f"{name}s {places[0]} to {places[-1]}"
    return f"{len(places)} of {len(chosen)} {name}s"


def _last(count: int, name: str) -> str:
    return f"the last {name}" if count == 1 else f"the last {count} {name}s"


def _were(phrase: str) -> str:
    """The verb for what ``where`` gives."""
    several = any(word in phrase for word in (" and ", " to ")) or phrase.endswith("s")
    return "were" if several and not phrase.startswith("1 of ") else "was"


def _every(mask: Mask, axis: int) -> Mask:
    return np.asarray(mask.all(axis=axis))


def _tail(chosen: Mask) -> int:
    """How many entries at the end are all True."""
    return int(len(chosen) - (np.flatnonzero(~chosen)[-1] + 1 if (~chosen).any() else 0))


def _edges(mask: Mask) -> str:
    """The last rows together with the last columns, or the rectangle at the origin."""
    rows, columns = _tail(_every(mask, 1)), _tail(_every(mask, 0))
    if rows and columns and not mask[: mask.shape[0] - rows, : mask.shape[1] - columns].any():
        return f"{_last(rows, 'row')} and {_last(columns, 'column')}"
    height, width = int(mask[:, 0].sum()), int(mask[0, :].sum())
    if height and width and mask[:height, :width].all() and mask.sum() == height * width:
        return f"the first {height} × {width} block"
    return ""


def _is_edge(mask: Mask) -> bool:
    return "last" in where(mask)
