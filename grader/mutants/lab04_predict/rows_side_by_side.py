"""Lanes that read a row each are taken to be side by side."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "side-by-side"


def rows_side_by_side(kernel, array, row):
    if kernel == "rows" and array == "w":
        row["sectors"] //= 8


answer = changed(rows_side_by_side)
