"""One scale for all blocks of a row."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "scale-a-row"


class Wrong(Quantize):
    def scales(self, blocks):
        rows = super().scales(blocks.reshape(len(blocks), 1, -1))
        return np.broadcast_to(rows, (*blocks.shape[:2], 1)).copy()


answer = Wrong()
