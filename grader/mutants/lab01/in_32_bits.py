"""The operations are multiplied in 32 bits."""

from __future__ import annotations

import numpy as np

from grader.mutants.lab01._right import Census

CAUSE = "overflow"


class In32Bits(Census):
    def flops(self, config, tokens, name, k, n):
        return int(np.array(super().flops(config, tokens, name, k, n)).astype(np.int32))


answer = In32Bits()
