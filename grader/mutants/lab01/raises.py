"""Reads a value that not every configuration has."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "error"


class Dimension(Census):
    def head_dim(self, config):
        return config["head_dim"]


answer = Dimension()
