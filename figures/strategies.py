"""Figure of a choice among kernels: the rules, and what each alternative was counted to cost."""

from __future__ import annotations

from collections.abc import Mapping

from figures.figure import Figure
from kernels.dispatch.choose import decide
from kernels.dispatch.problem import Problem
from kernels.dispatch.strategies import strategies as known
from kernels.dispatch.table import Table


def strategies(
    counted: Mapping[Problem, Mapping[str, int]], table: Table, *, unit: str = "bytes asked for"
) -> Figure:
    """Problems to choose among, with the rule of `table` that decides each.

    Args:
        counted: for each problem, the cost of each strategy by its name; those that cannot take the problem
            are left out.
        table: the rules.
        unit: what the costs count.

    Raises:
        ValueError: nothing was counted, or a cost names no strategy of its problem's format.
    """
    if not counted:
        raise ValueError("counted is empty; it must hold at least one problem.")
    formats = list(dict.fromkeys(problem.format for problem in counted))
    problems = []
    for problem in sorted(counted, key=lambda one: (formats.index(one.format), one.m, one.n, one.k)):
        there = known(problem.format)
        if unknown := set(counted[problem]) - set(there):
            raise ValueError(
                f"counted names {sorted(unknown)}; for {problem.format} there are {', '.join(there)}."
            )
        decision = decide(problem, table)
        costs = [
            {
                "name": name,
                "title": strategy.title,
                "cost": counted[problem].get(name),
                "refuses": strategy.refuses(problem),
            }
            for name, strategy in there.items()
            if name in counted[problem] or strategy.refuses(problem)
        ]
        problems.append(
            {
                "format": problem.format,
                "m": problem.m,
                "n": problem.n,
                "k": problem.k,
                "says": str(decision),
                "rule": list(table.of(problem.format).rules).index(decision.rule),
                "costs": costs,
            }
        )
    rules = {
        name: [{"condition": r.condition, "strategy": r.strategy, "why": r.why} for r in table.of(name).rules]
        for name in formats
    }
    alt = f"For {len(problems)} problems, the rule that decides and the {unit} of each strategy."
    data = {"formats": formats, "rules": rules, "problems": problems, "unit": unit}
    return Figure("strategies", "Which kernel, and why", data, alt)
