"""The one call that a learner makes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from grader import watch
from grader.answers import judge_answer
from grader.exercise import Case, Exercise
from grader.headline import first_to_fix
from grader.hints import opened
from grader.judge import judge, reference_passes, steps
from grader.labs import task
from grader.question import Question
from grader.report import Grade
from kernels.progress import Progress


class WrongKernel(AssertionError):
    """Raised by `grade(..., strict=True)` for an answer that does not pass; its text is the report."""

    def __init__(self, result: Grade) -> None:
        super().__init__(str(result))
        self.result = result


def grade(
    lab: str | int, answer: Any, *, seed: int | None = None, strict: bool = False, show: bool = True
) -> Grade:
    """Judge a kernel against the float64 oracle over the lab's shapes and dtypes, or another answer value by
    value, and show a short report.

    Args:
        lab: "02", 2 or "02_textbook"; "08.padded" where a lab has several exercises.
        answer: a function of the exercise's `mx.array`s, for lab 02 `(x[M, K], w[K, N]) -> y[M, N]`, that
        launches a kernel made with `mx.fast.metal_kernel` and returns its output, in the dtype of its inputs.
        Where a lab asks for numbers: a function that returns them by name, as in lab 01, or the numbers.
        seed: where the random numbers start. None takes new numbers each time; the report of a failure names
        the seed that repeats it.
        strict: raise `WrongKernel` for a kernel that does not pass, for use in scripts and tests.
        show: display the report (in a notebook) or print it.

    Returns:
        A `Grade`, with `.passed`, `.diagnosis` and `.outcomes`.

    Raises:
        ValueError: there is no such lab.
        WrongKernel: the answer does not pass and `strict` is set. Nothing else that it does is raised.
    """
    exercise = task(lab)
    if show:
        count = 0 if isinstance(exercise, Question) else steps(exercise)
        with Progress(f"Grading lab {exercise.id}", count) as progress:
            result = judged(exercise, answer, seed, progress.step)
        result.show()
    else:
        result = judged(exercise, answer, seed)
    if strict and not result.passed:
        raise WrongKernel(result)
    return result


def judged(
    exercise: Exercise | Question,
    answer: Any,
    seed: int | None = None,
    step: Callable[[str], None] | None = None,
) -> Grade:
    """`grade` for an exercise at hand, without showing anything. `step` is told of each case of a kernel."""
    watch.install()
    if isinstance(exercise, Question):
        used, outcomes = judge_answer(exercise, answer, seed)
    else:
        used, outcomes = judge(exercise, answer, seed, step)
    result = Grade(
        exercise, tuple(outcomes), used, seed_was_given=seed is not None, hints_opened=opened(exercise.id)
    )
    found = first_to_fix(outcomes)
    if isinstance(exercise, Question) or found is None or found[0].refused or found[0].spent is not None:
        return result
    case = found[0].case
    assert isinstance(case, Case)
    result.machine_at_fault = not reference_passes(exercise, case, used)
    return result
