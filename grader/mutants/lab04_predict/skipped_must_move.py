"""The elements that nobody reads are taken to have to move."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "skipped-must-move"


def skipped_must_move(kernel, array, row):
    if kernel == "every_other" and array == "x":
        row["must_move"] = 2048 * 4


answer = changed(skipped_must_move)
