"""The high byte of each scale comes first."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "bytes-swapped"


class Wrong(Quantize):
    def stored(self, d):
        return d.astype(">f2").view(np.uint8)


answer = Wrong()
