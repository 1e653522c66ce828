"""The decision tree as data: rules in order, of which the first that fits decides.

A table can be printed, changed and written down. It computes nothing: what it knows stands in its rules.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from kernels.dispatch.problem import Problem

Limits = tuple[int | None, int | None]
"""The least and the most of a size; None where there is no such limit."""
ANY: Limits = (None, None)


@dataclass(frozen=True)
class Rule:
    """strategy: which one to take. why: a clause, such as ``one row has nothing to share``.

    The other fields are its condition. m, n, k: limits of the sizes. dtypes, formats: of these only; every
    one where the tuple is empty.
    """

    strategy: str
    why: str
    m: Limits = ANY
    n: Limits = ANY
    k: Limits = ANY
    dtypes: tuple[str, ...] = ()
    formats: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for name in ("m", "n", "k"):
            least, most = getattr(self, name)
            if least is not None and most is not None and least > most:
                raise ValueError(f"{name} is {(least, most)}; the least must not be above the most.")

    def fits(self, problem: Problem) -> bool:
        return (
            _within(problem.m, self.m)
            and _within(problem.n, self.n)
            and _within(problem.k, self.k)
            and (not self.dtypes or problem.dtype in self.dtypes)
            and (not self.formats or problem.format in self.formats)
        )

    @property
    def condition(self) -> str:
        """In words: ``2 ≤ M ≤ 16, N ≥ 96``; ``always`` where there is none."""
        sizes = [_limits(name.upper(), getattr(self, name)) for name in ("m", "n", "k")]
        return ", ".join([each for each in sizes if each] + [*self.dtypes]) or "always"

    def as_plain(self) -> dict[str, Any]:
        """What JSON can hold; ``rule_from`` reads it back."""
        return asdict(self)


def _within(size: int, limits: Limits) -> bool:
    least, most = limits
    return (least is None or size >= least) and (most is None or size <= most)


def _limits(name: str, limits: Limits) -> str:
    least, most = limits
    if least is None:
        return "" if most is None else f"{name} ≤ {most}"
    if most is None:
        return f"{name} ≥ {least}"
    return f"{name} = {least}" if least == most else f"{least} ≤ {name} ≤ {most}"


def rule_from(plain: Mapping[str, Any]) -> Rule:
    """The rule that ``as_plain`` wrote.

    Raises:
        ValueError: it is not one.
    """
    try:
        m, n, k = (_checked_limits(plain[name]) for name in ("m", "n", "k"))
        dtypes, formats = (tuple(map(_word, plain[name])) for name in ("dtypes", "formats"))
        return Rule(_word(plain["strategy"]), _word(plain["why"]), m, n, k, dtypes, formats)
    except (KeyError, TypeError) as error:
        raise ValueError(f"{plain!r} is no rule: {error}.") from error


def _word(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _checked_limits(pair: Any) -> Limits:
    least, most = pair
    for each in (least, most):
        if each is not None and (isinstance(each, bool) or not isinstance(each, int)):
            raise TypeError(f"{pair!r} is no pair of limits")
    return least, most


@dataclass(frozen=True)
class Table:
    """Rules in order. Prints as a table, a part for each format that has rules of its own."""

    rules: tuple[Rule, ...]

    def fitting(self, problem: Problem) -> list[Rule]:
        """The rules whose conditions hold, in order."""
        return [rule for rule in self.rules if rule.fits(problem)]

    def with_first(self, *rules: Rule) -> Table:
        """A table in which ``rules`` are asked before all others."""
        return Table((*rules, *self.rules))

    def of(self, format_: str) -> Table:
        """The rules that can decide for one format."""
        return Table(tuple(rule for rule in self.rules if not rule.formats or format_ in rule.formats))

    def __str__(self) -> str:
        width = max((len(rule.condition) for rule in self.rules), default=0)
        wide = max((len(rule.strategy) for rule in self.rules), default=0)
        lines: list[str] = []
        title = None
        for rule in self.rules:
            formats = f"{', '.join(rule.formats) or 'every format'}:"
            if formats != title:
                lines.append(formats)
                title = formats
            lines.append(f"  {rule.condition:<{width}}  {rule.strategy:<{wide}}  {rule.why}")
        return "\n".join(lines)
