"""Budgets: what a right kernel may ask for, counted in checked mode and so the same on every machine.

Speed cannot be graded without a GPU, and need not be: a kernel that asks for four times the bytes is found by
counting. Each budget is held against three kernels on one case: the learner's, the reference, and one that is
right and not optimised.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import mlx.core as mx

from anymetal.checks import BufferCounters, Counters, checked
from grader.diagnose import Diagnosis
from grader.exercise import DTYPES, Case, Counts, Exercise, Kernel
from grader.watch import Launch, watching


@dataclass(frozen=True)
class Spent:
    """One budget and what three kernels spent of it; None for a kernel that could not be counted."""

    what: str
    limit: float
    formula: str
    at_least: bool
    yours: float
    reference: float | None
    unoptimised: float | None
    hint: str
    case: Case
    """Where it was counted."""

    @property
    def kept(self) -> bool:
        return self.yours >= self.limit if self.at_least else self.yours <= self.limit

    def diagnosis(self) -> Diagnosis | None:
        if self.kept:
            return None
        times = ""
        if self.reference:
            times = f", {self.yours / self.reference:.3g}× the reference's {number(self.reference)}"
        fault, least = "the kernel spends more than it may", ""
        if self.at_least:
            fault, least = "one count is too low", "at least "
        return Diagnosis(
            "over-budget",
            f"the numbers are right, and {fault}: {self.what} comes to {number(self.yours)}{times}. "
            f"The budget is {least}{number(self.limit)} ({self.formula}).",
            self.hint,
        )


def spent(
    exercise: Exercise, kernel: Kernel, arrays_of: Callable[[Case], Mapping[str, mx.array]]
) -> tuple[Spent, ...]:
    """Every budget of the exercise, counted on its case; `arrays_of` makes a case's arrays. Nothing where the
    kernel could not be counted."""
    found: list[Spent] = []
    counted: dict[str, tuple[Counts | None, Counts | None, Counts | None]] = {}
    for budget in exercise.budgets:
        case = budget.case or exercise.budget_case
        if case is None:
            continue
        if str(case) not in counted:
            counted[str(case)] = _three(exercise, kernel, case, arrays_of(case))
        yours, reference, slow = counted[str(case)]
        if yours is None:
            return ()
        found.append(
            Spent(
                what=budget.what,
                limit=budget.limit(case.sizes, DTYPES[case.dtype].size),
                formula=budget.formula,
                at_least=budget.at_least,
                yours=budget.count(yours),
                reference=None if reference is None else budget.count(reference),
                unoptimised=None if slow is None else budget.count(slow),
                hint=budget.hint,
                case=case,
            )
        )
    return tuple(found)


def _three(
    exercise: Exercise, kernel: Kernel, case: Case, arrays: Mapping[str, mx.array]
) -> tuple[Counts | None, Counts | None, Counts | None]:
    """What the learner's kernel, the reference and the unoptimised one ask for."""
    yours = _counts(exercise, kernel, case, arrays)
    if yours is None:
        return None, None, None
    reference = _counts(exercise, exercise.reference(), case, arrays)
    slow = None
    if exercise.unoptimised:
        slow = _counts(exercise, exercise.launch(exercise.unoptimised), case, arrays)
    return yours, reference, slow


def _counts(exercise: Exercise, kernel: Kernel, case: Case, arrays: Mapping[str, mx.array]) -> Counts | None:
    with checked() as report, watching(0.0, check=True) as watch:
        exercise.call(kernel, arrays, case)
    if watch.launches:
        return count(arrays, watch.launches)
    if not report.counters.launches:
        return None
    # The book's own kernels do not go by way of mx.fast.metal_kernel, which is what we watch.
    total = _nothing(arrays)
    by_name = {parameter: parameter.lower() for parameter in report.counters.buffers}
    _add(total, report.counters, by_name)
    return total


def _nothing(arrays: Mapping[str, mx.array]) -> Counts:
    return Counts(dict.fromkeys(arrays, 0), dict.fromkeys(arrays, float("nan")))


def count(arrays: Mapping[str, mx.array], launches: Sequence[Launch]) -> Counts:
    """Add up what launches asked for. A learner may give a parameter any name, so arrays count by identity
    first and by name where a copy was passed. Under a name of its own, a copy counts for the argument of its
    size or bytes, and for every argument that no launch was given; numbers count for none."""
    total = _nothing(arrays)
    mine = {id(array): name for name, array in arrays.items()}
    named: list[dict[str, str]] = []
    strangers: list[tuple[mx.array, BufferCounters]] = []
    for launch in launches:
        pairs = list(zip(launch.input_names, launch.inputs, strict=False))
        names = {parameter: mine.get(id(given), parameter) for parameter, given in pairs}
        named.append({parameter: name for parameter, name in names.items() if name in arrays})
        if launch.counters is not None:
            _add(total, launch.counters, named[-1])
            strangers += [
                (given, launch.counters.buffers[parameter])
                for parameter, given in pairs
                if given.size > 1 and names[parameter] not in arrays and parameter in launch.counters.buffers
            ]
    given_as_they_are = {name for names in named for name in names.values()}
    for given, buffer in strangers:
        for name, array in arrays.items():
            # A copy has the argument's size, and another view of its bytes has as many bytes.
            if name not in given_as_they_are or given.size == array.size or given.nbytes == array.nbytes:
                _read(total, name, buffer)
    return total


def _read(total: Counts, name: str, buffer: BufferCounters) -> None:
    total.read[name] += buffer.bytes_read
    total.coalescing[name] = buffer.coalescing


def _add(total: Counts, counters: Counters, names: Mapping[str, str]) -> None:
    for parameter, name in names.items():
        if name in total.read and parameter in counters.buffers:
            _read(total, name, counters.buffers[parameter])
    stores = [buffer.coalescing for buffer in counters.buffers.values() if buffer.bytes_written]
    total.store_coalescing = min([total.store_coalescing, *stores])
    total.written += sum(buffer.bytes_written for buffer in counters.buffers.values())
    total.shared += counters.threadgroup.bytes_read + counters.threadgroup.bytes_written
    total.flops += counters.flops
    total.mma += counters.mma
    total.bank_conflicts += counters.threadgroup.bank_conflicts
    total.load_conflicts = max(total.load_conflicts, counters.load_conflicts)
    total.lane_ops += counters.lane_ops
    total.barriers += counters.barriers
    total.launches += counters.launches


def number(value: float | None) -> str:
    """Whole numbers and large ones with commas, others to three digits."""
    if value is None:
        return "–"
    return f"{value:,.0f}" if value == int(value) or value >= 1000 else f"{value:.3g}"
