"""W is taken to be [N, K] throughout."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "turned"


class Turned(Census):
    def shapes(self, config):
        return {name: (n, k) for name, (k, n) in super().shapes(config).items()}


answer = Turned()
