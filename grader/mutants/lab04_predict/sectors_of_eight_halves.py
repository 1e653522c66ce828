"""A sector is taken to hold eight halves, as it holds eight floats."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "element-size"


def sectors_of_eight_halves(kernel, array, row):
    if kernel == "textbook" and array != "x":
        row["sectors"] *= 2


answer = changed(sectors_of_eight_halves)
