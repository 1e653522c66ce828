"""Elements are counted, not bytes."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "elements"


def in_elements(kernel, array, row):
    size = 2 if kernel == "textbook" else 4
    row["asked"] //= size
    row["must_move"] //= size


answer = changed(in_elements)
