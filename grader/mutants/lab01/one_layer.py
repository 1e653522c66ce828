"""One layer is counted, and the head."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "one-layer"


class OneLayer(Census):
    def layers(self, config, name):
        return 1

    def calls(self, config, tokens, name):
        return 1


answer = OneLayer()
