"""A half is taken to have four bytes."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "element-size"


def four_byte_halves(kernel, array, row):
    if kernel == "textbook":
        row["asked"] *= 2
        row["must_move"] *= 2


answer = changed(four_byte_halves)
