"""Which of several diagnoses leads."""

from __future__ import annotations

from itertools import permutations

import pytest

from grader.diagnose import Diagnosis
from grader.exercise import Case
from grader.headline import first_to_fix
from grader.judge import Outcome


@pytest.mark.parametrize("kinds", permutations(("grid-too-small", "axes-swapped", "reads-own-output")))
def test_of_two_that_explain_as_much_the_more_telling_leads(kinds: tuple[str, ...]) -> None:
    """Whatever Python's hash seed is: each order of the three kinds is tried."""
    outcomes = [Outcome(Case({"M": m}), tuple(Diagnosis(kind, kind) for kind in kinds)) for m in (1, 2, 3)]
    found = first_to_fix(outcomes)
    assert found is not None
    assert found[0] is outcomes[0]
    assert found[1].kind == kinds[0]
