"""The elements that nobody reads are taken to be asked for."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "skipped-asked"


def skipped_asked(kernel, array, row):
    if kernel == "every_other" and array == "x":
        row["asked"] = 2048 * 4


answer = changed(skipped_asked)
