"""Time a kernel, beside grading and never in it.

A time belongs to the machine that it was taken on, so it is labelled with what ran the kernel, and the book's
reference is timed in the same run, turn by turn, for the same disturbances to hit both.
"""

from __future__ import annotations

import platform
import secrets
import statistics
import time
from collections.abc import Mapping
from dataclasses import dataclass

import mlx.core as mx

from grader import data
from grader.exercise import DTYPES, Case, Kernel
from grader.labs import find
from kernels.progress import Progress


@dataclass(frozen=True)
class Times:
    """Seconds of each repetition, for one kernel."""

    seconds: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.seconds)

    @property
    def spread(self) -> tuple[float, float]:
        """The middle half: first and third quartile."""
        first, _, third = statistics.quantiles(self.seconds, n=4)
        return first, third


@dataclass(frozen=True)
class Timing:
    """What `time_kernel` returns; prints as a small table."""

    title: str
    machine: str
    yours: Times
    reference: Times
    flops: float
    moved: float
    """Bytes that must move: each argument in and the result out, once."""

    def rate(self, times: Times) -> str:
        """GFLOP/s, and GB/s of what must move, at the median."""
        return f"{self.flops / times.median / 1e9:.3g} GFLOP/s, {self.moved / times.median / 1e9:.3g} GB/s"

    def __str__(self) -> str:
        lines = [f"{self.title}\nTimed on {self.machine}, {len(self.yours.seconds)} turns each"]
        for name, times in (("yours", self.yours), ("reference", self.reference)):
            low, high = times.spread
            lines.append(
                f"  {name:<9}  median {1e3 * times.median:.3g} ms, middle half {1e3 * low:.3g} to "
                f"{1e3 * high:.3g} ms, {self.rate(times)}"
            )
        lines.append(f"  yours takes {self.yours.median / self.reference.median:.2f}× the reference's time")
        return "\n".join(lines)

    __repr__ = __str__


def machine() -> str:
    """What runs kernels here, in words."""
    if mx.metal.is_available():
        name = mx.device_info().get("device_name", "Apple GPU")
        return f"{name}, Metal"
    return f"CPU ({platform.machine()}), anymetal: not a GPU time"


def time_kernel(
    lab: str | int,
    kernel: Kernel,
    *,
    sizes: Mapping[str, int] | None = None,
    dtype: str = "float32",
    repeat: int = 20,
) -> Timing:
    """Time a learner's function against the reference, turn by turn.

    Args:
        lab: as for `grade`.
        kernel: the function that `grade` takes. It is not checked here: grade it first.
        sizes: the exercise's sizes by name, such as {"M": 1, "N": 4096, "K": 4096}; without them the largest
        of the lab's cases.
        dtype: float32, float16 or bfloat16.
        repeat: turns, at least 2. One more comes first and is thrown away: it compiles.

    Raises:
        ValueError: no such lab, a size is missing or unknown, no such dtype, or fewer than two turns.
    """
    exercise = find(lab)
    if dtype not in DTYPES:
        raise ValueError(f"dtype is {dtype!r}; it must be one of {', '.join(DTYPES)}.")
    if repeat < 2:
        raise ValueError(f"repeat is {repeat}; a spread takes at least 2 turns.")
    names = set(exercise.cases[0].sizes)
    if sizes is not None and (set(sizes) != names or any(size < 1 for size in sizes.values())):
        raise ValueError(f"sizes is {dict(sizes)}; it needs {', '.join(sorted(names))}, each at least 1.")
    largest = max(exercise.cases, key=exercise.flops)
    case = Case(sizes or largest.sizes, dtype)
    arrays, _ = data.make(exercise, case, secrets.randbits(31), red_zones=False)
    reference = exercise.reference()
    seconds: dict[str, list[float]] = {"yours": [], "reference": []}
    with Progress(f"Timing lab {exercise.id}", repeat + 1) as progress:
        for turn in range(repeat + 1):
            progress.step(f"turn {turn} of {repeat}" if turn else "compiling")
            for name, each in (("yours", kernel), ("reference", reference)):
                start = time.perf_counter()
                mx.eval(exercise.call(each, arrays, case))
                if turn:
                    seconds[name].append(time.perf_counter() - start)
    size = DTYPES[dtype].size
    result = 1
    for length in exercise.shape(exercise.result[1], case):
        result *= length
    return Timing(
        title=f"Lab {exercise.id} · {exercise.title}, {case}",
        machine=machine(),
        yours=Times(tuple(seconds["yours"])),
        reference=Times(tuple(seconds["reference"])),
        flops=exercise.flops(case),
        moved=float(size * result + sum(array.nbytes for array in arrays.values())),
    )
