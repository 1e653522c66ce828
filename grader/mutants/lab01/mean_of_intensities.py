"""The intensity of the whole is taken for the mean of the intensities."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "mean-of-intensities"


class MeanOfIntensities(Census):
    def total(self, rows):
        mean = sum(row["flops"] / row["bytes"] for row in rows.values()) / len(rows)
        return super().total(rows) | {"intensity": mean}


answer = MeanOfIntensities()
