"""Returns signed bytes."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab10_quantize._right import Quantize

CAUSE = "wrong-result"


class Wrong(Quantize):
    dtype = np.int8


answer = Wrong()
