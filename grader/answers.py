"""Judge answers that are no kernels: a Python function, or plain values. See `grader.question`.

The answer to one trial is a mapping, possibly of mappings, down to numbers or tuples of numbers. Each number
is compared with what the question expects. What is wrong is looked for among the mistakes that people do
make, in the question's order: the first cause of several wrong numbers comes first.
"""

from __future__ import annotations

import copy
import math
import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from grader import refusals
from grader.diagnose import Diagnosis
from grader.judge import Outcome, WrongElement
from grader.question import Mistake, Question, Trial
from grader.watch import watching

Path = tuple[str, ...]
Flat = dict[Path, Any]
# Counts are exact; a ratio of two may be rounded twice on its way.
WITHIN = 1e-9
SHOWN = 5


class _Refused(Exception):
    """There is nothing to compare; carries the diagnosis."""

    def __init__(self, kind: str, says: str, hint: str = "") -> None:
        super().__init__(says)
        self.diagnosis = Diagnosis(kind, says, hint)


@dataclass(frozen=True)
class _Tried:
    """One trial with both answers, flat."""

    trial: Trial
    got: Flat
    want: Flat

    @property
    def wrong(self) -> list[Path]:
        return [path for path, want in self.want.items() if not same(self.got[path], want)]


def judge_answer(question: Question, answer: Any, seed: int | None = None) -> tuple[int, list[Outcome]]:
    """Try an answer on every trial.

    Returns:
        The seed of the drawn trials, and an outcome for each trial that was tried; the one to fix first comes
        first. (Its kind is in no group of `grader.headline`, which would reorder them.)
    """
    if seed is None:
        seed = secrets.randbits(31)
    rng = np.random.default_rng(seed)
    trials = [*question.cases, *(draw(rng) for draw in question.drawn)]
    tried: list[_Tried] = []
    for trial in trials:
        want = flat(question.expected(*copy.deepcopy(trial.given)))
        try:
            got = _matched(question, flat(_given(question, answer, trial)), want)
        except _Refused as refused:
            found = refused.diagnosis
            if found.kind in ("missing", "not-a-number") and trial.name and trial.name in answer:
                # One part of several; its numbers go by the same names as those of the others.
                found = replace(found, says=f"{found.says} Asked about {trial}.")
            found = replace(found, hint=question.hints.get(found.kind, found.hint))
            before = [_outcome(question, each) for each in tried]
            return seed, [*before, Outcome(trial, (found,), refused=True)]
        tried.append(_Tried(trial, got, want))
    return seed, _outcomes(question, tried)


def _outcomes(question: Question, tried: list[_Tried]) -> list[Outcome]:
    failing = [each for each in tried if each.wrong]
    if not failing:
        return [_outcome(question, each) for each in tried]
    lead, found, paths = _first_to_fix(question, tried, failing)
    found = replace(found, hint=question.hints.get(found.kind, found.hint))
    shown = tuple(_shown(question, path, lead) for path in paths[:SHOWN])
    others = [_outcome(question, each) for each in tried if each is not lead]
    return [Outcome(lead.trial, (found,), shown), *others]


def _outcome(question: Question, tried: _Tried) -> Outcome:
    """The outcome of a trial that the report does not lead with."""
    return Outcome(tried.trial, (_plainly(question, tried),) if tried.wrong else ())


def _shown(question: Question, path: Path, tried: _Tried) -> WrongElement:
    got, want = tried.got[path], tried.want[path]
    if question.reveals:
        return WrongElement(path, got, want)
    ratio = "" if _numbers(want, got) is None or not want else f"{got / want:.4g}"
    return WrongElement(path, got, ratio)


# --- getting the numbers ---------------------------------------------------------------------------


def _given(question: Question, answer: Any, trial: Trial) -> Mapping[str, Any]:
    """The learner's answer to a trial, as a mapping."""
    if question.asks == "values":
        if not isinstance(answer, Mapping):
            raise _Refused(
                "not-values",
                f"the grader got a {type(answer).__name__}, and needs a dictionary of values.",
                f"Pass the dictionary itself: `grade({question.id!r}, answers)`.",
            )
        if not trial.name:
            return answer
        if trial.name not in answer:
            raise _Refused(
                "missing", f"there is no `{trial.name}` in your answer.", _needs(question.arguments)
            )
        result = answer[trial.name]
    else:
        if not callable(answer):
            raise _Refused(
                "not-a-function",
                f"the grader got a {type(answer).__name__}, and needs a function of "
                f"({', '.join(question.arguments)}).",
                f"Pass the function itself: `grade({question.id!r}, function)`, not what it returns.",
            )
        with watching() as watch:
            try:
                result = answer(*copy.deepcopy(trial.given))
            except (
                Exception
            ) as error:  # whatever a learner's code raises is theirs to read, not ours to die of
                found = refusals.of_error(error)
                raise _Refused(found.kind, f"{found.says} Asked about {trial}.", found.hint) from None
        if watch.reference_called:
            raise _Refused(
                "reference-called",
                "your function calls the book's own.",
                "Work the numbers out of the arguments yourself: NumPy and Python are all that it takes.",
            )
    if question.reads is not None:
        try:
            return question.reads(result, *copy.deepcopy(trial.given))
        except ValueError as error:
            raise _Refused("wrong-result", f"{error} Asked about {trial}.") from None
    if not isinstance(result, Mapping):
        what = f"your function returns a {type(result).__name__}"
        if question.asks == "values":
            what = f"`{trial.name}` is a {type(result).__name__}"
        raise _Refused("not-a-mapping", f"{what}, and must be a dictionary. Asked about {trial}.")
    return result


def _needs(names: Sequence[str]) -> str:
    return f"What is asked for: {', '.join(f'`{name}`' for name in names)}."


def flat(answer: Mapping[str, Any], before: Path = ()) -> Flat:
    """Each number by its path: {"q": {"K": 3}} is {("q", "K"): 3}."""
    found: Flat = {}
    for name, value in answer.items():
        path = (*before, str(name))
        if isinstance(value, Mapping):
            found |= flat(value, path)
        else:
            found[path] = _plain(value)
    return found


def _plain(value: Any) -> Any:
    """Python's own numbers for NumPy's and MLX's, and a tuple for any sequence."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return tuple(map(_plain, value)) if isinstance(value, (list, tuple)) else value


def _matched(question: Question, got: Flat, want: Flat) -> Flat:
    """The learner's numbers for what is asked for; more than that does no harm."""
    missing = [path for path in want if path not in got]
    if missing:
        first = missing[0]
        # A whole group is named by its group.
        group = first[:-1] if first[:-1] and not any(path[:-1] == first[:-1] for path in got) else first
        others = sorted({path[: len(group)] for path in got} - {path[: len(group)] for path in want})
        also = f" It has `{question.element(others[0])}`, which nobody asked for." if others else ""
        names = dict.fromkeys(path[len(group) - 1] for path in want if path[: len(group) - 1] == group[:-1])
        raise _Refused("missing", f"your answer has no `{question.element(group)}`.{also}", _needs([*names]))
    for path, right in want.items():
        value, name = got[path], question.element(path)
        if isinstance(right, tuple) != isinstance(value, tuple):
            kind = f"a tuple of {len(right)} numbers" if isinstance(right, tuple) else "one number"
            raise _Refused("not-a-number", f"`{name}` is {_called(value)}, and must be {kind}.")
        for each in value if isinstance(value, tuple) else (value,):
            if isinstance(each, bool) or not isinstance(each, (int, float)) or math.isnan(each):
                raise _Refused("not-a-number", f"`{name}` is {_called(each)}, and must be a number.")
    return {path: got[path] for path in want}


def _called(value: object) -> str:
    if isinstance(value, tuple):
        return f"a tuple of {len(value)}"
    if value is None or isinstance(value, (bool, float, int)):
        return str(value)
    return f"a {type(value).__name__}"


# --- what is wrong with them -----------------------------------------------------------------------


def same(got: Any, want: Any) -> bool:
    """Equal, but for the last rounding of a ratio."""
    if isinstance(want, tuple):
        return isinstance(got, tuple) and len(got) == len(want) and all(map(same, got, want))
    return bool(got == want or abs(got - want) <= WITHIN * abs(want))


def _first_to_fix(
    question: Question, tried: list[_Tried], failing: list[_Tried]
) -> tuple[_Tried, Diagnosis, list[Path]]:
    """The trial to lead with, the diagnosis, and the wrong values that show it."""
    for mistake in question.mistakes:
        seen = _explains(mistake, tried)
        if seen is not None:
            lead, paths = seen
            got, want = (_words(values[paths[0]]) for values in (lead.got, lead.want))
            says = mistake.says.format(where=question.element(paths[0]), got=got, want=want)
            return lead, Diagnosis(mistake.kind, says, mistake.hint), paths
    lead = failing[0]
    for rule in (_always_the_same, _wrapped, _factor):
        found = rule(question, lead, tried)
        if found is not None:
            return lead, found, lead.wrong
    return lead, _plainly(question, lead), lead.wrong


def _explains(mistake: Mistake, tried: list[_Tried]) -> tuple[_Tried, list[Path]] | None:
    """The first trial that shows a mistake, and where. It must fit every trial in which it would show."""
    first: tuple[_Tried, list[Path]] | None = None
    for each in tried:
        result = None
        # A made-up trial may lack what the mistake would have read.
        with suppress(KeyError):
            result = mistake.result(*copy.deepcopy(each.trial.given))
        if result is None:
            continue
        values = {path: value for path, value in flat(result).items() if path in each.want}
        shows = [path for path, value in values.items() if not same(value, each.want[path])]
        if not shows:
            continue
        if not all(same(each.got[path], values[path]) for path in shows):
            return None
        first = first or (each, shows)
    return first


def _words(value: Any) -> str:
    if isinstance(value, tuple):
        return f"({', '.join(map(_words, value))})"
    return f"{value:,}" if isinstance(value, int) else f"{value:,.6g}"


def _always_the_same(question: Question, lead: _Tried, tried: list[_Tried]) -> Diagnosis | None:
    for each in tried:
        same_everywhere = all(each.got.get(path) == value for path, value in lead.got.items())
        if each is not lead and each.want != lead.want and same_everywhere:
            return Diagnosis(
                "always-the-same",
                f"the answer about {lead.trial} is the answer about {each.trial}, to the last number.",
                "Take every number from the arguments; keep nothing from one call to the next.",
            )
    return None


def _wrapped(question: Question, lead: _Tried, _tried: list[_Tried]) -> Diagnosis | None:
    for path in lead.wrong:
        pair = _numbers(lead.got[path], lead.want[path])
        if pair and float(pair[0]).is_integer() and (off := int(pair[0] - pair[1])) and off % 2**32 == 0:
            return Diagnosis(
                "overflow",
                f"`{question.element(path)}` is off by a multiple of 2³²: an integer of 32 bits ran over.",
                "Python's own `int` has no end. NumPy's does: `np.int64`, or `int(...)` before you multiply.",
            )
    return None


def _factor(question: Question, lead: _Tried, _tried: list[_Tried]) -> Diagnosis | None:
    """Every value of one name is the same multiple of what it should be."""
    name = lead.wrong[0][-1]
    paths = [path for path in lead.want if path[-1] == name]
    pairs = [_numbers(lead.got[path], lead.want[path]) for path in paths]
    if len(paths) < 2 or not all(pair and pair[0] and pair[1] for pair in pairs):
        return None
    ratios = [pair[0] / pair[1] for pair in pairs if pair]
    if max(ratios) - min(ratios) > 1e-6 * abs(ratios[0]):
        return None
    return Diagnosis(
        "off-by-a-factor",
        f"every `{name}` is {ratios[0]:.4g} times what it should be.",
        "One factor too many or too few: count what is multiplied, and its unit.",
    )


def _plainly(question: Question, tried: _Tried) -> Diagnosis:
    path = tried.wrong[0]
    says = f"`{question.element(path)}` is wrong: yours is {_words(tried.got[path])}"
    says += f", it is {_words(tried.want[path])}." if question.reveals else "."
    return Diagnosis("wrong-value", says, "Work this one out by hand, from its definition.")


def _numbers(got: Any, want: Any) -> tuple[float, float] | None:
    return None if isinstance(got, tuple) or isinstance(want, tuple) else (got, want)
