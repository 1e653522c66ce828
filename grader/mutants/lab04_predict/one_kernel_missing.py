"""The third kernel is left out."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "missing"


def nothing(_kernel, _array, _row):
    pass


answer = changed(nothing)
del answer["textbook"]
