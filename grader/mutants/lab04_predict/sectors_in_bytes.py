"""The bytes of the sectors instead of their number."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "in-bytes"


def sectors_in_bytes(kernel, array, row):
    row["sectors"] *= 32


answer = changed(sectors_in_bytes)
