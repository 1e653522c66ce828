"""down is taken to go the way that gate and up go."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "down-turned"


class DownTurned(Census):
    def shapes(self, config):
        found = super().shapes(config)
        return found | {"down": found["down"][::-1]}


answer = DownTurned()
