"""Timing several contenders so that what drifts, drifts for all.

Contenders take turns: one burst each, then the next round. A machine that grows slower half-way grows slower
for everybody, and a ratio is formed within a round, between neighbours in time. What is reported is the
median over rounds, with the quartiles as the spread.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from statistics import median, quantiles

Run = Callable[[], object]


@dataclass(frozen=True)
class Spread:
    """A median and the quartiles around it, in the unit of what was measured."""

    median: float
    low: float
    high: float

    @staticmethod
    def of(values: list[float]) -> Spread:
        if not values:
            raise ValueError("values is empty; a median needs at least one.")
        if len(values) == 1:
            return Spread(values[0], values[0], values[0])
        low, middle, high = quantiles(values, n=4, method="inclusive")
        return Spread(middle, low, high)


def _burst(run: Run, calls: int, warm_s: float) -> float:
    """The median of ``calls`` calls in seconds, after ``warm_s`` seconds of calls that do not count."""
    until = time.perf_counter() + warm_s
    run()
    while time.perf_counter() < until:
        run()
    times = []
    for _ in range(calls):
        start = time.perf_counter()
        run()
        times.append(time.perf_counter() - start)
    return median(times)


def interleave(
    runs: Mapping[str, Run],
    *,
    rounds: int,
    burst_s: float = 0.06,
    settle_s: float = 0.15,
    warm_s: float = 0.1,
) -> dict[str, list[float]]:
    """Seconds a call for every contender in every round.

    Args:
        runs: the contenders. Each call does the whole work and returns when it is done.
        rounds: how often each gets its turn.
        burst_s: about how long a turn lasts; a contender slower than that is called three times a turn.
        settle_s: a pause before each turn, in which the last contender's threads stop waiting for more work
            (OpenBLAS's spin for a tenth of a second) and let go of the cores.
        warm_s: how long each turn goes on before calls count. A cache shared by many cores takes tens of
            calls to hold data that another contender's has driven out; a fast contender makes more of them.
    """
    calls: dict[str, int] = {}
    for name, run in runs.items():
        run()
        start = time.perf_counter()
        run()
        once = time.perf_counter() - start
        calls[name] = max(3, min(200, int(burst_s / max(once, 1e-9))))
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(rounds):
        for name, run in runs.items():
            time.sleep(settle_s)
            seconds[name].append(_burst(run, calls[name], warm_s))
    return seconds


def speed_ratio(ours: list[float], peer: list[float]) -> Spread:
    """How many times as fast as the peer we are: its seconds over ours, round by round."""
    if len(ours) != len(peer):
        raise ValueError(f"ours has {len(ours)} rounds and peer has {len(peer)}; both need the same number.")
    return Spread.of([b / a for a, b in zip(ours, peer, strict=True)])
