"""Experts without the matmul that chooses them."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "missing"


class RouterMissing(Census):
    def shapes(self, config):
        return {name: shape for name, shape in super().shapes(config).items() if name != "router"}


answer = RouterMissing()
