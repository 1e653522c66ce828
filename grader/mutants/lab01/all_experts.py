"""Every token is taken to use every expert."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "all-experts"


class AllExperts(Census):
    def chosen(self, config):
        return self.held(config)


answer = AllExperts()
