"""32 lanes that ask for one element are taken to touch 32 sectors."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "sector-a-lane"


def sector_a_lane(kernel, array, row):
    if kernel != "every_other" and array == "x":
        row["sectors"] *= 32


answer = changed(sector_a_lane)
