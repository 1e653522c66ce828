"""One number is off, for no reason that is known."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "wrong-value"


def a_slip(kernel, array, row):
    if kernel == "rows" and array == "y":
        row["sectors"] += 1


answer = changed(a_slip)
