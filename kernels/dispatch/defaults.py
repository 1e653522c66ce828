"""The table before anything is measured: crossovers counted in bytes that threads ask for, of buffers and of
threadgroup memory.

They hold on every machine, and are a machine's fastest only by chance. ``tune`` measures.
"""

from __future__ import annotations

from kernels.dispatch.problem import FLOAT
from kernels.dispatch.table import Rule, Table

_FULL = ((92, 128), (186, None))
"""N for which tiles of 128 columns are mostly full: one tile, two or more."""

DEFAULT = Table(
    (
        Rule(
            "rows",
            "one row has nothing to share, and four rows of W share each load of it",
            m=(1, 1),
            formats=(FLOAT,),
        ),
        Rule(
            "batched",
            "few rows share each weight in registers, with no detour",
            m=(2, 6),
            formats=(FLOAT,),
        ),
        *(
            Rule(
                "low",
                "tiles of 8 × 128 are mostly full, and ask for X once for 128 columns",
                m=m,
                n=n,
                formats=(FLOAT,),
            )
            for m in ((7, 8), (14, 16))
            for n in _FULL
        ),
        Rule(
            "batched",
            "the tiles of a GEMM would be mostly empty",
            m=(7, 16),
            formats=(FLOAT,),
        ),
        Rule(
            "square",
            "one tile of 32 rows holds them all",
            m=(17, 32),
            formats=(FLOAT,),
        ),
        Rule(
            "square",
            "a tile of 64 columns would be half empty",
            n=(None, 32),
            formats=(FLOAT,),
        ),
        Rule(
            "large",
            "many rows: a larger tile asks for each element less often",
            formats=(FLOAT,),
        ),
        Rule("gemv", "one row has nothing to share", m=(1, 1)),
        Rule("own", "the format knows what its kernels need of N and K"),
    )
)
