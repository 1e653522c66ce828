"""Lines of 128 bytes instead of sectors of 32."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "lines"


def lines(kernel, array, row):
    row["sectors"] = -(-row["sectors"] // 4)


answer = changed(lines)
