"""Each sector of an array is counted once, as if the rest came out of a cache."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "no-cache"


def each_sector_once(kernel, array, row):
    elements = {"every_other": {"x": 2048, "y": 1024}, "rows": {"x": 160, "w": 15360, "y": 96}}
    elements["textbook"] = {"x": 384, "w": 3072, "y": 512}
    row["sectors"] = elements[kernel][array] * (2 if kernel == "textbook" else 4) // 32


answer = changed(each_sector_once)
