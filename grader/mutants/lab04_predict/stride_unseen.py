"""What lies between the elements is taken not to come along."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "skipped-sectors"


def stride_unseen(kernel, array, row):
    if kernel == "every_other" and array == "x":
        row["sectors"] //= 2


answer = changed(stride_unseen)
