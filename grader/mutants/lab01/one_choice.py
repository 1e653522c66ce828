"""Each token is taken to choose one expert."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "one-choice"


class OneChoice(Census):
    def chosen(self, config):
        return 1


answer = OneChoice()
