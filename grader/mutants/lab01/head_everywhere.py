"""The head is counted in every layer."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "head-everywhere"


class HeadEverywhere(Census):
    def layers(self, config, name):
        return config["num_hidden_layers"]


answer = HeadEverywhere()
