"""Choosing among the kernels: a decision tree as data, tuned by measuring, remembered on disk.

``kernels.matmul(x, w)`` runs what the table of this machine says, ``kernels.explain(x, w)`` says which and
why.
"""

from kernels.dispatch.choose import Decision, decide, explain, matmul
from kernels.dispatch.defaults import DEFAULT
from kernels.dispatch.memory import current, forget, machine, place, remember, remembered, use
from kernels.dispatch.problem import FLOAT, Problem, problem_of
from kernels.dispatch.strategies import Strategy, strategies
from kernels.dispatch.table import Rule, Table
from kernels.dispatch.tuning import Measured, tune

__all__ = [
    "DEFAULT",
    "FLOAT",
    "Decision",
    "Measured",
    "Problem",
    "Rule",
    "Strategy",
    "Table",
    "current",
    "decide",
    "explain",
    "forget",
    "machine",
    "matmul",
    "place",
    "problem_of",
    "remember",
    "remembered",
    "strategies",
    "tune",
    "use",
]
