"""Every lane is taken to touch a sector of its own, always."""

from __future__ import annotations

from grader.mutants.lab04_predict._right import changed

CAUSE = "sector-an-access"


def sector_an_access(kernel, array, row):
    row["sectors"] = row["asked"] // (2 if kernel == "textbook" else 4)


answer = changed(sector_an_access)
