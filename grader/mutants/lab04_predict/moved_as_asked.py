"""What must move is taken to be all that is asked for."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "moved-as-asked"


def moved_as_asked(kernel, array, row):
    row["must_move"] = row["asked"]


answer = changed(moved_as_asked)
