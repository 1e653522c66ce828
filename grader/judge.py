"""Try a learner's function on every case of an exercise and say what happened.

Every case runs checked first (`anymetal.checked`), so that no kernel can hurt the process or go on for ever.
Where the machine has an Apple GPU, a kernel that was found right and safe then runs there too.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

from grader import budgets, data, refusals, safety
from grader.diagnose import Diagnosis, Evidence, diagnose
from grader.exercise import DTYPES, Case, Exercise, Float64, Kernel
from grader.question import Trial
from grader.tolerance import agrees, bound
from grader.watch import Launch, watching
from kernels.tolerance import exact

# What outputs hold before a launch, in the first call and in the one that looks closer. Exact in every float
# type of MLX, and nothing that a sum of a few random products comes to. Not NaN: that is what a stray thread
# stores which has read past the inputs' ends, and it would not show.
POISONS = (12288.0, -6144.0)


@dataclass(frozen=True)
class WrongElement:
    """`index` is the place in the result, or the path of a value among answers."""

    index: tuple[int | str, ...]
    got: Any
    """None where the kernel wrote nothing."""
    want: Any


@dataclass(frozen=True)
class Outcome:
    """What one case gave. `diagnoses` is empty where it passed; the most telling comes first."""

    case: Case | Trial
    diagnoses: tuple[Diagnosis, ...] = ()
    wrong: tuple[WrongElement, ...] = ()
    refused: bool = False
    """True where there is no result to compare, or none that counts: later cases would say the same."""
    spent: budgets.Spent | None = None
    """For the outcome of a budget: what was counted."""


def steps(exercise: Exercise) -> int:
    """How often `judge` calls `step`, where nothing is wrong."""
    return len(exercise.cases) + bool(exercise.budgets)


def judge(
    exercise: Exercise, kernel: Kernel, seed: int | None = None, step: Callable[[str], None] | None = None
) -> tuple[int, list[Outcome]]:
    """Run every case, up to the first refusal: a kernel that does not compile fails them all for one reason.
    The cases of the next dtype wait until those of the dtype before are right. `step` is told what is next.

    Returns:
        The seed that the numbers came from, and one outcome for each case that was tried.
    """
    if seed is None:
        seed = secrets.randbits(31)
    if not callable(kernel):
        return seed, [Outcome(exercise.cases[0], (refusals.not_callable(exercise, kernel),), refused=True)]
    outcomes: list[Outcome] = []
    previous: tuple[tuple[int, ...], Float64] | None = None
    for number, case in enumerate(exercise.cases):
        if any(each.diagnoses and each.case.stage != case.stage for each in outcomes):
            break  # what is wrong in one type is put right there first; each type is compiled anew
        if step is not None:
            step(str(case))
        arrays, values = data.make(exercise, case, seed + number)
        want = _oracle(exercise, values)
        fresh_seed = seed + len(exercise.cases) + number
        outcome = _try(exercise, kernel, case, arrays, values, want, previous, fresh_seed)
        previous = want.shape, want
        outcomes.append(outcome)
        if outcome.refused:
            break
    if not any(outcome.diagnoses for outcome in outcomes):
        if step is not None and exercise.budgets:
            step("what it asks for")
        outcomes += _budgets(exercise, kernel, seed)
    return seed, outcomes


def _budgets(exercise: Exercise, kernel: Kernel, seed: int) -> list[Outcome]:
    """One outcome for each budget."""
    found = []
    for spent in budgets.spent(exercise, kernel, lambda case: data.make(exercise, case, seed)[0]):
        over = spent.diagnosis()
        found.append(Outcome(spent.case, () if over is None else (over,), spent=spent))
    return found


def _oracle(exercise: Exercise, values: dict[str, Float64]) -> Float64:
    # ∞ · 0 and ∞ − ∞ are meant: they say where a NaN belongs.
    with np.errstate(invalid="ignore"):
        return exercise.oracle(values)


def _try(
    exercise: Exercise,
    kernel: Kernel,
    case: Case,
    arrays: dict[str, mx.array],
    values: dict[str, Float64],
    want: Float64,
    previous: tuple[tuple[int, ...], Float64] | None,
    fresh_seed: int,
) -> Outcome:
    result, launches, refusal = _call(exercise, kernel, case, arrays, POISONS[0], check=True)
    seen = [
        replace(each, hint=exercise.hints.get(each.kind, each.hint)) for each in safety.diagnoses(launches)
    ]
    endless = [each for each in seen if each.kind == safety.ENDLESS]
    if endless:
        return Outcome(case, tuple(endless), refused=True)
    if refusal is None:
        refusal = refusals.of_launches(launches) or refusals.of_words(exercise, launches)
    if refusal is None:
        refusal = _of_fake(exercise, kernel, case, want, fresh_seed)
    if refusal is None:
        refusal = refusals.of_type(exercise, case, result)
    if refusal is not None:
        return Outcome(case, (refusal,), refused=True)
    check = True
    if not seen and has_gpu():
        # Right and safe on the CPU so far: see what the GPU makes of it. There, only the red zones look on.
        at_cpu, _ = _wrongness(exercise, case, values, result, want)
        if at_cpu is not None and not at_cpu.any():
            check = False
            result, launches, refusal = _call(exercise, kernel, case, arrays, POISONS[0])
            if refusal is not None:
                return Outcome(case, (refusal,), refused=True)
            stray = refusals.past_the_end(exercise, launches)
            seen = [] if stray is None else [stray]
    shape = refusals.of_shape(exercise, case, result)
    if shape is not None:
        return Outcome(case, (shape,))
    wrongness, tolerance = _wrongness(exercise, case, values, result, want)
    assert wrongness is not None
    if not wrongness.any():
        return Outcome(case, tuple(seen))

    got = exact(result)
    again, _, failed = _call(exercise, kernel, case, arrays, POISONS[1], check=check)
    comparable = failed is None and isinstance(again, mx.array) and again.shape == result.shape
    with np.errstate(invalid="ignore"):
        magnitude = exercise.magnitude(values)
    evidence = Evidence(
        exercise=exercise,
        case=case,
        values=values,
        got=got,
        want=want,
        tolerance=tolerance,
        magnitude=magnitude,
        launches=launches,
        poisons=POISONS,
        repoisoned=exact(again) if comparable else got,
        previous=previous[1] if previous is not None and previous[0] == want.shape else None,
    )
    places = [tuple(int(i) for i in place) for place in np.argwhere(wrongness)[:5]]
    unwritten = evidence.unwritten
    wrong = tuple(
        WrongElement(place, None if unwritten[place] else float(got[place]), float(want[place]))
        for place in places
    )
    return Outcome(case, (*seen, *diagnose(evidence)), wrong)


def has_gpu() -> bool:
    """Whether kernels run anywhere but in anymetal on this machine."""
    return bool(mx.metal.is_available())


def _wrongness(
    exercise: Exercise, case: Case, values: dict[str, Float64], result: Any, want: Float64
) -> tuple[NDArray[np.bool_] | None, Float64]:
    """Which elements are wrong (None where the shape is), and how far off each may be."""
    with np.errstate(invalid="ignore"):
        tolerance = bound(want, exercise.magnitude(values), case.sizes[exercise.terms], case.dtype)
    if tuple(result.shape) != want.shape:
        return None, tolerance
    return np.asarray(~agrees(exact(result), want, tolerance)), tolerance


def _call(
    exercise: Exercise,
    kernel: Kernel,
    case: Case,
    arrays: dict[str, mx.array],
    poison: float,
    *,
    check: bool = False,
) -> tuple[Any, Sequence[Launch], Diagnosis | None]:
    """The learner's function, watched. The third value says why there is no result."""
    with watching(poison, check=check) as watch:
        try:
            result = exercise.call(kernel, arrays, case)
            if isinstance(result, mx.array):
                mx.eval(result)
        except Exception as error:  # whatever a learner's code raises is theirs to read, not ours to die of
            raised: Exception | None = error
        else:
            raised = None
    if watch.reference_called:
        return None, watch.launches, refusals.reference_called(exercise)
    if raised is not None:
        return None, watch.launches, refusals.of_error(raised)
    return result, watch.launches, None


def _of_fake(exercise: Exercise, kernel: Kernel, case: Case, want: Float64, seed: int) -> Diagnosis | None:
    """Does the answer come out of this call's kernels? With launches replaced by NaN, only NaN may be left.

    The numbers are new, so that an answer kept from the call before, `want`, differs from one computed
    elsewhere. What a kernel is given here cannot be an earlier kernel's work, which would be NaN.
    """
    arrays, values = data.make(exercise, case, seed)
    result: Any = None
    # A function may look at the fake numbers and not like them: that is no evidence either way.
    with watching(fake=True) as watch, suppress(Exception):
        result = exercise.call(kernel, arrays, case)
    # What packed numbers stand for is no argument: a kernel that is given it has its work done for it.
    given_values = {name: values[name] for name in exercise.arguments if name in values}
    refusal = refusals.of_inputs(watch.launches, _oracle(exercise, values), given_values)
    if refusal is not None or not isinstance(result, mx.array) or bool(mx.isnan(result).all().item()):
        return refusal
    given = exact(result)
    if given.shape == want.shape and bool(
        np.isclose(given, want, rtol=0.05, atol=0.05, equal_nan=True).all()
    ):
        return refusals.kept(exercise)
    return refusals.beside_the_kernel(exercise)


def reference_passes(exercise: Exercise, case: Case, seed: int) -> bool:
    """Whether the reference is right here: if not, this machine is at fault and not the learner."""
    arrays, values = data.make(exercise, case, seed + exercise.cases.index(case))
    want = _oracle(exercise, values)
    try:
        got = exact(exercise.call(exercise.reference(), arrays, case))
    except Exception:  # a machine on which the reference cannot even run is the case in point
        return False
    tolerance = bound(want, exercise.magnitude(values), case.sizes[exercise.terms], case.dtype)
    return got.shape == want.shape and bool(agrees(got, want, tolerance).all())


__all__ = ["DTYPES", "Outcome", "WrongElement", "judge", "reference_passes"]
