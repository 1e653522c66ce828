"""An element that 32 lanes ask for is counted once."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "asked-by-simdgroup"


def asked_by_simdgroup(kernel, array, row):
    if kernel != "every_other" and array == "x":
        row["asked"] //= 32


answer = changed(asked_by_simdgroup)
