"""Only the weights are counted, neither X nor Y."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "weights-only"


class WeightsOnly(Census):
    def bytes(self, config, tokens, name, k, n):
        return 2 * self.calls(config, tokens, name) * k * n


answer = WeightsOnly()
