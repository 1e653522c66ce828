"""Each token gets experts that no other token has, without end."""

from __future__ import annotations

from grader.mutants.lab01._right import EXPERTS, Census

CAUSE = "more-experts-than-there-are"


class UnboundedExperts(Census):
    def calls(self, config, tokens, name):
        return self.layers(config, name) * (tokens * self.chosen(config) if name in EXPERTS else 1)


answer = UnboundedExperts()
