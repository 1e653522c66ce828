"""What one SIMD-group does, and not the whole launch."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "one-simdgroup"


def one_simdgroup(kernel, array, row):
    groups = {"every_other": 32, "rows": 3, "textbook": 16}[kernel]
    row["asked"] //= groups
    row["sectors"] //= groups


answer = changed(one_simdgroup)
