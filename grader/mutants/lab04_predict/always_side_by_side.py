"""Bytes asked for, divided by 32, everywhere."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "side-by-side"


def always_side_by_side(kernel, array, row):
    row["sectors"] = row["asked"] // 32


answer = changed(always_side_by_side)
