"""An expert gets the width of a layer without experts."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "expert-width"


class ExpertWidth(Census):
    def inner(self, config):
        return config["intermediate_size"]


answer = ExpertWidth()
