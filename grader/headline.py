"""From the diagnoses of all failing cases to the one thing to fix first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from grader.diagnose import Diagnosis
from grader.judge import Outcome

# The first group that explains enough of the failing cases gives the headline.
GROUPS: tuple[frozenset[str], ...] = (
    frozenset({"wrong-shape"}),
    frozenset({"writes-past-end"}),
    frozenset({"untouched"}),
    frozenset({"grid-too-small", "axes-swapped", "reads-own-output"}),
    frozenset({"stale"}),
    frozenset({"near-miss"}),
    frozenset({"divergent-barrier"}),
    frozenset({"race", "same-value-race", "inactive-lane", "uninitialised", "misaligned"}),
    frozenset({"scaled"}),
    frozenset({"partly-unwritten"}),
    frozenset({"reads-past-end"}),
    frozenset({"nan-swallowed", "nan-spread"}),
    frozenset({"one-lane"}),
    frozenset({"half-products"}),
    frozenset({"half-accumulator"}),
    frozenset({"part-right", "part-wrong", "edge-wrong"}),
)
# One case with this is enough: it is wrong whatever else is.
DECISIVE = frozenset(
    "wrong-shape writes-past-end stale divergent-barrier race same-value-race inactive-lane uninitialised "
    "misaligned reads-past-end".split()
)
# These are only true of a kernel if they are true of every case.
TOTAL = frozenset({"untouched", "half-products", "half-accumulator"})
ENOUGH = 0.5


def first_to_fix(outcomes: Sequence[Outcome]) -> tuple[Outcome, Diagnosis] | None:
    """The diagnosis to lead with and the first case that shows it; None where nothing failed."""
    failing = [outcome for outcome in outcomes if outcome.diagnoses]
    if not failing:
        return None
    for outcome in failing:
        if outcome.refused:
            return outcome, outcome.diagnoses[0]
    # A near miss is one formula and keeps its own name; the words of other kinds vary from case to case.
    # Of two that explain as much, the more telling comes first: keys keep their order, which a set would not.
    covers = Counter(
        key for outcome in failing for key in dict.fromkeys(_key(each) for each in outcome.diagnoses)
    )
    proved = {_key(each) for outcome in failing for each in outcome.diagnoses if each.telling}
    for group in GROUPS:
        keys = [key for key in covers if key[0] in group and key in proved]
        if not keys:
            continue
        best = max(keys, key=lambda key: covers[key])
        share = covers[best] / len(failing)
        wanted = 0.0 if best[0] in DECISIVE else 1.0 if best[0] in TOTAL else ENOUGH
        if share >= wanted:
            return _first_with(failing, best)
    return failing[0], failing[0].diagnoses[0]


def _key(diagnosis: Diagnosis) -> tuple[str, str]:
    return ("near-miss", diagnosis.says) if diagnosis.near_miss else (diagnosis.kind, "")


def _first_with(failing: Sequence[Outcome], key: tuple[str, str]) -> tuple[Outcome, Diagnosis]:
    for outcome in failing:
        for diagnosis in outcome.diagnoses:
            if _key(diagnosis) == key and diagnosis.telling:
                return outcome, diagnosis
    raise AssertionError("the key was counted from these outcomes")
