"""What is asked for again is not counted again."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "asked-once"


def asked_once(kernel, array, row):
    row["asked"] = row["must_move"]


answer = changed(asked_once)
