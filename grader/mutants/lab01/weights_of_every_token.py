"""The weights are loaded anew for each row."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "weights-of-every-token"


class WeightsOfEveryToken(Census):
    def bytes(self, config, tokens, name, k, n):
        return 2 * self.layers(config, name) * self.rows(config, tokens, name) * (k * n + k + n)


answer = WeightsOfEveryToken()
