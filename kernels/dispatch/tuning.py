"""Moving the crossovers to where they are on this machine, by measuring.

Every strategy is timed on a small grid of shapes, all of them turn by turn, so that a disturbance hits each
alike. Where another than the table's own is faster by a margin, it becomes a rule. Between two rows of the
grid the crossover is put where the two lines of time meet.
"""

from __future__ import annotations

import importlib
import math
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import mlx.core as mx
import numpy as np

from kernels import arguments
from kernels.dispatch.choose import decide
from kernels.dispatch.defaults import DEFAULT
from kernels.dispatch.memory import remember, use
from kernels.dispatch.problem import FLOAT, Problem
from kernels.dispatch.strategies import strategies
from kernels.dispatch.table import Limits, Rule, Table
from kernels.progress import Progress

ROWS = (1, 2, 4, 8, 16, 32, 64, 128)
SHAPES = ((1024, 1024), (4096, 4096))
MARGIN = 1.05
"""By how much another strategy must be faster than the default one to take its place: below lies noise."""
HOPELESS = 4.0
"""A strategy that takes so many times the fastest one's time is not timed again."""

Times = Mapping[str, float]
"""Seconds of each strategy, the median of its turns."""


@dataclass(frozen=True)
class Measured:
    """What ``tune`` returns. times: for each problem that was timed, by strategy. rules: what follows for
    this machine. table: those rules, and the default behind them."""

    times: Mapping[Problem, Times]
    rules: tuple[Rule, ...]
    table: Table

    def __str__(self) -> str:
        lines = []
        for problem, times in self.times.items():
            ranked = sorted(times.items(), key=lambda item: item[1])
            lines.append(f"{problem}: " + ", ".join(f"{name} {1e3 * each:.3g} ms" for name, each in ranked))
        return "\n".join(lines)


def tune(
    *,
    formats: Sequence[str] = (FLOAT,),
    dtypes: Sequence[str] = ("float16",),
    shapes: Sequence[tuple[int, int]] = SHAPES,
    rows: Sequence[int] = ROWS,
    turns: int = 7,
    keep: bool = True,
    clock: Callable[[], float] = time.perf_counter,
) -> Measured:
    """Time the strategies on this machine, and take the table that follows.

    Args:
        formats: formats of weights to tune for: ``float``, or modules of ``kernels.quantized``.
        dtypes: of x.
        shapes: pairs of N and K, no two of one N. Each stands for the N around it.
        rows: numbers of rows of x, ascending. Each crossover is looked for between two of them, and what wins
            at the last of them is taken for all M beyond.
        turns: times that each strategy runs on each problem; one more comes first and is thrown away.
        keep: remember the rules on disk, and let ``kernels.matmul`` use them from now on.
        clock: seconds.

    Raises:
        ValueError: there is no such format or dtype, or a grid is empty or out of order.
    """
    names = tuple(map(arguments.name_of, arguments.FLOATS))
    for dtype in dtypes:
        if dtype not in names:
            raise ValueError(f"dtypes has {dtype!r}; it must be of {', '.join(names)}.")
    if not rows or min(rows) < 1 or list(rows) != sorted(set(rows)):
        raise ValueError(f"rows is {tuple(rows)}; it must be ascending, and each at least 1.")
    widths = [n for n, _ in shapes]
    if not shapes or len(set(widths)) < len(widths):
        raise ValueError(f"shapes is {tuple(shapes)}; it must have pairs of N and K, each N once.")
    if turns < 1:
        raise ValueError(f"turns is {turns}; it must be at least 1.")
    for format_ in formats:
        strategies(format_)  # that it exists is asked before anything is timed
    found: dict[Problem, Times] = {}
    rules: list[Rule] = []
    columns = [
        (format_, dtype, n, k, limits)
        for format_ in formats
        for dtype in dtypes
        for (n, k), limits in zip(sorted(shapes), bands(sorted(widths)), strict=True)
    ]
    with Progress("Tuning", len(columns) * len(rows)) as progress:
        for format_, dtype, n, k, limits in columns:
            w = _weights(format_, n, k, dtype)
            column: dict[int, Times] = {}
            for m in rows:
                problem = Problem(m, n, k, dtype, format_)
                progress.step(str(problem))
                column[m] = found[problem] = _times(problem, w, turns, clock)
            rules += column_rules(column, Problem(1, n, k, dtype, format_), limits)
    table = DEFAULT.with_first(*rules)
    if keep:
        remember(rules)
        use(table)
    return Measured(found, tuple(rules), table)


def bands(widths: Sequence[int]) -> list[Limits]:
    """For each of some ascending N the limits of those nearest to it, on a logarithmic scale."""
    edges = [math.isqrt(a * b) for a, b in pairwise(widths)]
    return list(zip([None, *(edge + 1 for edge in edges)], [*edges, None]))


def _weights(format_: str, n: int, k: int, dtype: str) -> Any:
    numbers = np.random.default_rng(n).standard_normal((n, k), dtype=np.float32)
    if format_ == FLOAT:
        return mx.array(numbers).astype(getattr(mx, dtype))
    return importlib.import_module(f"kernels.quantized.{format_}").quantize(numbers)


def _times(problem: Problem, w: Any, turns: int, clock: Callable[[], float]) -> Times:
    """The median of each strategy that takes the problem."""
    numbers = np.random.default_rng(problem.m).standard_normal((problem.m, problem.k), dtype=np.float32)
    x = mx.array(numbers).astype(getattr(mx, problem.dtype))
    mx.eval(x)
    contenders = {
        name: strategy.run
        for name, strategy in strategies(problem.format).items()
        if name != "own" and not strategy.refuses(problem)
    }
    # A launch to Metal costs more than a small product: several in one go share it.
    calls = 8 if mx.metal.is_available() else 1
    seconds: dict[str, list[float]] = {name: [] for name in contenders}
    for turn in range(turns + 1):
        for name, run in list(contenders.items()):
            start = clock()
            mx.eval([run(x, w) for _ in range(calls)])
            if turn:  # the first one compiles
                seconds[name].append((clock() - start) / calls)
        if turn == 1:
            best = min(each[0] for each in seconds.values())
            contenders = {name: run for name, run in contenders.items() if seconds[name][0] < HOPELESS * best}
    return {name: statistics.median(each) for name, each in seconds.items()}


def column_rules(column: Mapping[int, Times], problem: Problem, n: Limits) -> list[Rule]:
    """Rules for all M, from the times at some M of one N, K, dtype and format."""
    rows = sorted(column)
    winners = {}
    for m in rows:
        times = column[m]
        usual = decide(replace(problem, m=m), DEFAULT).rule.strategy
        best = min(times, key=lambda name: times[name])
        winners[m] = usual if usual in times and times[usual] <= MARGIN * times[best] else best
    changes = [(a, b) for a, b in pairwise(rows) if winners[a] != winners[b]]
    last = [_crossover(column, a, b, winners[a], winners[b]) for a, b in changes]
    firsts = [1, *(edge + 1 for edge in last)]
    starts = [rows[0], *(b for _, b in changes)]
    found = []
    for first, most, at in zip(firsts, [*last, None], starts, strict=True):
        rest = {name: each for name, each in column[at].items() if name != winners[at]}
        mine = 1e3 * column[at][winners[at]]
        why = f"measured with M = {at}, N = {problem.n}, K = {problem.k}: {mine:.3g} ms"
        if rest:
            next_ = min(rest, key=lambda name: rest[name])
            why += f", and {next_} {1e3 * rest[next_]:.3g} ms"
        found.append(
            Rule(
                winners[at],
                why,
                m=(first, most),
                n=n,
                dtypes=(problem.dtype,),
                formats=(problem.format,),
            )
        )
    return found


def _crossover(column: Mapping[int, Times], a: int, b: int, before: str, after: str) -> int:
    """The last M for the strategy `before`: where both times meet, each a power of M between a and b. It is
    a itself where one of the two cannot take both."""
    if not all(name in column[m] for m in (a, b) for name in (before, after)):
        return a
    lead = max(math.log(column[a][after] / column[a][before]), 0.0)
    lag = max(math.log(column[b][before] / column[b][after]), 0.0)
    return min(int(a * (b / a) ** (lead / (lead + lag or 1.0))), b - 1)
