"""A layer is taken to call one expert, whatever its tokens choose."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "one-expert"


class OneExpert(Census):
    def calls(self, config, tokens, name):
        return self.layers(config, name)


answer = OneExpert()
