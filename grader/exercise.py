"""What a lab's specification is made of: plain data and a few functions."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

import mlx.core as mx
import numpy as np
from numpy.typing import NDArray

Float64 = NDArray[np.float64]
Kernel = Callable[..., mx.array]
"""What a learner hands in: a function of the exercise's arrays that launches a kernel."""

DTYPES: Mapping[str, mx.Dtype] = {"float32": mx.float32, "float16": mx.float16, "bfloat16": mx.bfloat16}


@dataclass(frozen=True)
class Case:
    """One thing to try: sizes by name, a dtype, and the kind of numbers (see `grader.data`)."""

    sizes: Mapping[str, int]
    dtype: str = "float32"
    data: str = "normal"
    scale: float = 1.0

    drawn: ClassVar[bool] = True
    """The numbers come from a seed, which the report of a failure names."""

    @property
    def stage(self) -> str:
        """Cases of the next stage wait until those of the stage before are right."""
        return self.dtype

    def __str__(self) -> str:
        sizes = ", ".join(f"{name} = {size}" for name, size in self.sizes.items())
        notes = {"normal": "", "positive": ", all positive", "cancelling": ", sums that nearly cancel",
                 "nan": ", with a NaN", "inf": ", with an infinity"}  # fmt: skip
        scale = "" if self.scale == 1 else f", numbers near {self.scale:g}"
        return f"{sizes}, {self.dtype}{notes[self.data]}{scale}"


def length(axis: str, sizes: Mapping[str, int]) -> int:
    """The length of an axis: ``18``, the name of a size, or a product and quotient such as ``K * bits / 32``.

    Raises:
        ValueError: a name is unknown, or a quotient is no whole number.
    """
    whole, *rest = re.split(r"\s*([*/])\s*", axis.strip())
    value = _number(whole, axis, sizes)
    for operator, factor in zip(rest[::2], rest[1::2], strict=True):
        by = _number(factor, axis, sizes)
        if operator == "*":
            value *= by
        elif by == 0 or value % by:
            given = ", ".join(f"{name} = {size}" for name, size in sizes.items())
            raise ValueError(f"{axis} is no whole number for {given}.")
        else:
            value //= by
    return value


def _number(word: str, axis: str, sizes: Mapping[str, int]) -> int:
    if word.isdigit():
        return int(word)
    if word not in sizes:
        raise ValueError(f"{axis} names {word!r}; the sizes are {', '.join(sizes)}.")
    return sizes[word]


Encode = Callable[
    [Mapping[str, Float64], Case], tuple[Mapping[str, NDArray[Any] | mx.array], Mapping[str, Float64]]
]


@dataclass(frozen=True)
class Encoding:
    """How arguments that hold packed numbers are made of floats that are drawn, such as quantized weights.

    drawn: the float arrays to draw, with their axes, in the order of ``Exercise.arguments``.
    encode: given the drawn values and the case, it returns the packed arguments by name, arrays of NumPy or
    MLX of any dtype; and the exact float64 values that oracle, magnitude and near misses see of them, by any
    names: what the packed numbers stand for, and whatever rounding scales with. An argument that it does not
    return is the drawn array of its name, in the case's dtype. A NaN or an infinity of the case's data goes
    into those; what the packed arguments hold of it, if anything, is for `encode` to say.
    """

    drawn: Mapping[str, tuple[str, ...]]
    encode: Encode


@dataclass(frozen=True)
class NearMiss:
    """A wrong formula that learners do write.

    `result` gives the array that it would store, or None where the formula makes no sense.
    """

    kind: str
    says: str
    hint: str
    result: Callable[[Mapping[str, Float64]], Float64 | None]


@dataclass
class Counts:
    """What one call of a learner's function asked for, over all its launches. Bytes are those that active
    lanes asked for."""

    read: dict[str, int]
    """Bytes by argument."""
    coalescing: dict[str, float]
    """Of the loads of each argument: 1 is best; NaN where it was never read."""
    store_coalescing: float = 1.0
    """Of the stores, in the array and the launch where that is worst: 1 is best."""
    written: int = 0
    shared: int = 0
    """Bytes loaded from and stored to threadgroup memory."""
    flops: int = 0
    mma: int = 0
    bank_conflicts: int = 0
    load_conflicts: float = 0.0
    """Further rounds of the banks for one load from threadgroup memory, in the mean, where that is most."""
    lane_ops: int = 0
    """Times that a SIMD-group came to a cross-lane operation."""
    barriers: int = 0
    """Times that a SIMD-group came to a threadgroup barrier."""
    launches: int = 0


@dataclass(frozen=True)
class Budget:
    """What a right kernel may spend: an expression over counters, and its limit."""

    what: str
    count: Callable[[Counts], float]
    limit: Callable[[Mapping[str, int], int], float]
    """From the case's sizes and the bytes of an element."""
    formula: str
    hint: str
    at_least: bool = False
    """The limit is the least that must be reached, as with coalescing."""
    case: Case | None = None
    """Where it is counted, if not on the exercise's `budget_case`: for budgets over a grid of shapes."""


@dataclass(frozen=True)
class Exercise:
    """One kernel to write."""

    lab: str
    name: str
    title: str
    arguments: Mapping[str, tuple[str, ...]]
    """Each argument's name and its shape, in the order of the learner's function. See `length` for axes."""
    result: tuple[str, tuple[str, ...]]
    """The result's name and its shape, as in `arguments`."""
    oracle: Callable[[Mapping[str, Float64]], Float64]
    magnitude: Callable[[Mapping[str, Float64]], Float64]
    """Σ|products| of each element of the result: what rounding errors scale with."""
    terms: str
    """The size that counts the products in one element's sum."""
    reference: Callable[[], Kernel]
    """Imports and returns the reference kernel's function. Late, so that the grader loads without it."""
    launch: Callable[[str], Kernel]
    """Makes the learner's function out of a `.metal` body, with a standard launch: for mutants and tests."""
    cases: tuple[Case, ...]
    near_misses: tuple[NearMiss, ...] = ()
    budgets: tuple[Budget, ...] = ()
    budget_case: Case | None = None
    """Where the budgets are counted, once every case is right."""
    unoptimised: str = ""
    """A `.metal` body that is right and spends what one spends without thinking: the table's last column."""
    encoding: Encoding | None = None
    """Where arguments hold packed numbers: how they are made. None: every argument is drawn as it is."""
    takes_dtype: bool = False
    """The function's last argument is the dtype of the result: no array among its arguments says it."""
    forbidden: Mapping[str, str] = field(default_factory=dict)
    """Metal functions that a kernel may not name, since it is to do their work itself; a hint for each."""
    within: str = "the rounding error of a float32 sum"
    """How near to the exact result each element is that `magnitude` and `terms` let pass, in words."""
    operations: Callable[[Mapping[str, int]], float] | None = None
    """Floating-point operations of a call, from its sizes, where they are not two for each product."""
    steps: tuple[str, ...] = ()
    """Hints that open one at a time, from the gentlest to the plainest."""
    hints: Mapping[str, str] = field(default_factory=dict)
    """Hints by kind of diagnosis, where this exercise knows better than the grader's general words."""

    @property
    def id(self) -> str:
        return self.lab if self.name == "" else f"{self.lab}.{self.name}"

    @property
    def checks(self) -> int:
        return len(self.cases) + len(self.budgets)

    @property
    def drawn(self) -> Mapping[str, tuple[str, ...]]:
        """The float arrays to draw, with their axes."""
        return self.arguments if self.encoding is None else self.encoding.drawn

    @property
    def stages(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(case.stage for case in self.cases))

    @property
    def columns(self) -> tuple[str, str, str]:
        """What a report writes over wrong elements."""
        return ("element", "got", "want")

    @property
    def praise(self) -> str:
        """What the report says of a right kernel."""
        kinds = {case.data for case in self.cases}
        special = [word for kind, word in (("nan", "NaN"), ("inf", "infinity")) if kind in kinds]
        tried = ["ragged shapes", *self.stages, *([" and ".join(special)] if special else [])]
        return (
            f"{', '.join(tried)}, every element within {self.within}, no access out of bounds, no race, "
            "within budget."
        )

    def element(self, index: tuple[int | str, ...]) -> str:
        return f"{self.result[0]}[{', '.join(map(str, index))}]"

    def shape(self, names: tuple[str, ...], case: Case) -> tuple[int, ...]:
        return tuple(length(name, case.sizes) for name in names)

    def flops(self, case: Case) -> float:
        """Two for each product, of every element of the result the terms of its sum; or `operations`."""
        if self.operations is not None:
            return self.operations(case.sizes)
        return 2.0 * math.prod(self.shape(self.result[1], case)) * case.sizes[self.terms]

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names of the arguments that the learner's function gets, in their order."""
        return (*self.arguments, "dtype") if self.takes_dtype else tuple(self.arguments)

    def call(self, kernel: Kernel, arrays: Mapping[str, mx.array], case: Case) -> Any:
        given = {**arrays, "dtype": DTYPES[case.dtype]}
        return kernel(*(given[name] for name in self.parameters))
