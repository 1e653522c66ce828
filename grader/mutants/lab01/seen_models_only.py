"""Models are told apart by hidden_size, and what is not known is taken for the last one seen."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "always-the-same"


class SeenModelsOnly(Census):
    last = None

    def __call__(self, config, tokens):
        if config["hidden_size"] in (2048, 2560, 4096):
            self.last = super().__call__(config, tokens)
        return self.last


answer = SeenModelsOnly()
