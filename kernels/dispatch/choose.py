"""From a problem and a table to the kernel that runs, and why."""

from __future__ import annotations

from dataclasses import dataclass

import mlx.core as mx

from kernels.dispatch.memory import current
from kernels.dispatch.problem import Problem, problem_of
from kernels.dispatch.strategies import Strategy, strategies
from kernels.dispatch.table import Rule, Table
from kernels.quantized.weights import Weights


@dataclass(frozen=True)
class Decision:
    """rule: the first whose condition holds and whose strategy takes the problem. passed_over: the rules
    before it whose conditions hold, each with what its strategy says."""

    problem: Problem
    rule: Rule
    passed_over: tuple[tuple[Rule, str], ...]

    @property
    def strategy(self) -> Strategy:
        return strategies(self.problem.format)[self.rule.strategy]

    def __str__(self) -> str:
        text = f"{self.problem}: {self.strategy.title}, because {self.rule.why}"
        others = [f"{rule.strategy} was passed over: {says}" for rule, says in self.passed_over]
        return ". ".join([text, *others]) + "."


def decide(problem: Problem, table: Table | None = None) -> Decision:
    """What the table says of a problem.

    Args:
        table: without one, that of this machine: what ``tune`` found here, or else the default.

    Raises:
        ValueError: no rule decides, or a rule names a strategy that the format does not have.
    """
    there = strategies(problem.format)
    passed_over: list[tuple[Rule, str]] = []
    for rule in (current() if table is None else table).fitting(problem):
        if rule.strategy not in there:
            raise ValueError(
                f"the rule for {rule.condition} names {rule.strategy!r}; for {problem.format} weights there "
                f"are {', '.join(there)}."
            )
        says = there[rule.strategy].refuses(problem)
        if not says:
            return Decision(problem, rule, tuple(passed_over))
        passed_over.append((rule, says))
    raise ValueError(f"no rule of the table decides for {problem}.")


def matmul(x: mx.array, w: mx.array | Weights, *, table: Table | None = None) -> mx.array:
    """``Y = X · Wᵀ`` by the kernel that the table chooses.

    Args:
        x: [M, K] or [K], float32, float16 or bfloat16.
        w: [N, K]: an ``mx.array`` of the same dtype, or quantized weights; one row an output.
        table: as for ``decide``.

    Returns:
        [M, N] or [N] in x's dtype, accumulated in float32.

    Raises:
        TypeError: x is not an ``mx.array``, or w neither that nor quantized weights.
        ValueError: a rank, a dtype or K does not fit, or no rule decides.
    """
    decision = decide(problem_of(x, w), table)
    rows = x.reshape(1, -1) if x.ndim == 1 else x
    return decision.strategy.run(rows, w).reshape(*x.shape[:-1], decision.problem.n)


def explain(x: mx.array, w: mx.array | Weights, *, table: Table | None = None) -> str:
    """Which kernel ``matmul`` runs for these arguments and why, as a sentence. Runs nothing.

    Arguments and errors as ``matmul``.
    """
    return str(decide(problem_of(x, w), table))
