"""Reasons to look no further: no result, a wrong kind of result, or one that did not come from a kernel."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import mlx.core as mx
import numpy as np

from grader.diagnose import Diagnosis
from grader.exercise import DTYPES, Case, Exercise, Float64
from grader.watch import Launch
from kernels.tolerance import exact

# A result may differ from the oracle by this much and still be taken for the answer: generous, since it only
# asks whether somebody else computed it.
SAME_ANSWER = 0.05


def not_callable(exercise: Exercise, kernel: object) -> Diagnosis:
    return Diagnosis(
        "not-a-function",
        f"the grader got a {type(kernel).__name__}, and needs a function of "
        f"({', '.join(exercise.parameters)}).",
        f"Pass the function itself: `grade({exercise.id!r}, matmul)`, not what it returns.",
    )


def of_error(error: Exception) -> Diagnosis:
    """The learner's function raised: their own words first, for Metal errors the compiler's."""
    name = type(error).__name__
    text = str(error).strip() or name
    if name == "CompileError" or "Unable to build metal library" in text:
        return Diagnosis(
            "compile-error", f"the kernel does not compile.\n\n{text}", "Start with the first error."
        )
    # MLX on Metal raises a plain ValueError for a threadgroup that is too large.
    if name == "LaunchError" or "thread group size" in text.lower():
        return Diagnosis(
            "launch-error", f"the launch was refused: {text}", "Look at grid, threadgroup and shapes."
        )
    return Diagnosis(
        "error", f"your function raised {name}: {text}", "Run it by itself and read the traceback."
    )


def reference_called(exercise: Exercise) -> Diagnosis:
    return Diagnosis(
        "reference-called",
        "your function calls the book's reference kernel.",
        "Write a kernel of your own and launch it with `mx.fast.metal_kernel`.",
    )


def of_launches(launches: Sequence[Launch]) -> Diagnosis | None:
    """Did a kernel run at all?"""
    if not launches:
        return Diagnosis(
            "no-launch",
            "your function launched no kernel.",
            "The answer must come from a kernel made by `mx.fast.metal_kernel`. If yours does, it was made "
            "before the grader was imported: run the set-up cell, then your cell, then this one.",
        )
    return None


def of_words(exercise: Exercise, launches: Sequence[Launch]) -> Diagnosis | None:
    """Does a kernel name a function whose work it is to do itself?"""
    for launch in launches:
        for where, text in (("", launch.source), (" of the header", launch.header)):
            for number, line in enumerate(_without_comments(text).splitlines(), 1):
                for word, hint in exercise.forbidden.items():
                    if re.search(rf"\b{word}\b", line):
                        says = (
                            f"line {number}{where} calls `{word}`, which this exercise has you do yourself."
                        )
                        return Diagnosis("forbidden", says, hint)
    return None


def _without_comments(text: str) -> str:
    """The text with as many lines as before."""
    return re.sub(r"//[^\n]*|/\*.*?\*/", lambda match: "\n" * match[0].count("\n"), text, flags=re.DOTALL)


def of_inputs(launches: Sequence[Launch], want: Float64, values: Mapping[str, Float64]) -> Diagnosis | None:
    """Was a kernel given the answer to copy? Not where an argument is the answer: a sum of one number."""
    if any(_is_answer(value.ravel(), want) for value in values.values() if value.size == want.size):
        return None
    for launch in launches:
        for given in launch.inputs:
            if given.size == want.size and given.size > 1 and _is_answer(exact(given).ravel(), want):
                return Diagnosis(
                    "answer-given",
                    "your kernel was given the finished answer as an input and copied it.",
                    "Give the kernel the arrays of the exercise and let it do the arithmetic.",
                )
    return None


def _is_answer(given: Float64, want: Float64) -> bool:
    for candidate in (want.ravel(), want.T.ravel()):
        scale = float(np.max(np.abs(candidate), initial=0.0))
        if 0 < scale < np.inf and bool((np.abs(given - candidate) <= SAME_ANSWER * scale).all()):
            return True
    return False


def beside_the_kernel(exercise: Exercise) -> Diagnosis:
    return Diagnosis(
        "not-from-kernel",
        "your function launches a kernel, and its answer comes from somewhere else.",
        f"Return what the kernel stored in {exercise.result[0]}: the grader replaced that by NaN, and your "
        "answer was not NaN.",
    )


def kept(exercise: Exercise) -> Diagnosis:
    return Diagnosis(
        "stale",
        "your function returned the answer to an earlier call, which had the same shapes and other numbers.",
        "Launch the kernel in every call. Keep the kernel object if you like, never its result.",
    )


def of_type(exercise: Exercise, case: Case, result: object) -> Diagnosis | None:
    name = exercise.result[0]
    if isinstance(result, (list, tuple)) and len(result) == 1 and isinstance(result[0], mx.array):
        return Diagnosis(
            "wrong-type",
            f"your function returned a {type(result).__name__} with one array in it, not the array.",
            "A kernel returns a list of its outputs: return its first element.",
        )
    if result is None:
        return Diagnosis("wrong-type", "your function returned nothing.", f"End it with `return {name}`.")
    if not isinstance(result, mx.array):
        return Diagnosis(
            "wrong-type",
            f"your function returned a {type(result).__name__}, not an mx.array.",
            f"Return {name} as the kernel gave it.",
        )
    wanted = DTYPES[case.dtype]
    if result.dtype != wanted:
        got = str(result.dtype).rsplit(".", 1)[-1]
        if exercise.takes_dtype:
            return Diagnosis(
                "wrong-dtype",
                f"asked for {case.dtype}, your function returned {got}.",
                "The result has the dtype that is asked for: `output_dtypes=[dtype]`.",
            )
        return Diagnosis(
            "wrong-dtype",
            f"for {case.dtype} inputs your function returned {got}.",
            "The result has the dtype of the inputs: `output_dtypes=[x.dtype]`.",
        )
    return None


def of_shape(exercise: Exercise, case: Case, result: Any) -> Diagnosis | None:
    name, axes = exercise.result
    wanted, got = exercise.shape(axes, case), tuple(result.shape)
    if got == wanted:
        return None
    note = " That is the transpose's." if got == wanted[::-1] else ""
    return Diagnosis(
        "wrong-shape",
        f"{name} has shape {got}, and must have shape {wanted}.{note}",
        f"{name} is [{', '.join(axes)}]: `output_shapes=[({', '.join(axes)})]`.",
    )


def past_the_end(exercise: Exercise, launches: Sequence[Launch]) -> Diagnosis | None:
    stray = max((distance for launch in launches for distance in launch.strays()), default=0)
    if stray == 0:
        return None
    return Diagnosis(
        "writes-past-end",
        f"the kernel writes past the end of its output, by up to {stray} element{'s' if stray > 1 else ''}.",
        "The last threadgroups stick out over the edge. A thread with no output of its own must return "
        "before it stores.",
    )
