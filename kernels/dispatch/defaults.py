"""The table before anything is measured: crossovers counted in bytes that threads ask for, of buffers and of
threadgroup memory.

They hold on every machine, and are a machine's fastest only by chance. ``tune`` measures.
"""

from __future__ import annotations

from kernels.dispatch.problem import FLOAT
from kernels.dispatch.table import ANY, Limits, Rule, Table

_FULL: tuple[Limits, ...] = ((94, 128), (186, None))
"""N for which tiles of 128 columns are mostly full: one tile, two or more."""
_WHOLE: tuple[Limits, ...] = ((31, 32), (61, 64), (129, 185))
"""N of the others for which tiles of 32 columns are."""
_BATCH = 16


def _float(strategy: str, why: str, m: Limits = ANY, n: Limits = ANY) -> Rule:
    return Rule(strategy, why, m=m, n=n, formats=(FLOAT,))


def _packed(format_: str, many: str, *early: Rule) -> tuple[Rule, ...]:
    """The rules of a quantized format. many: its strategy beyond a batch; early: when it pays before that."""
    of = (format_,)
    why = {
        "gemm": "many rows share each weight of a tile",
        "dequantized": "weights written out once serve many rows",
    }[many]
    return (
        Rule("gemv", "each packed weight serves one row", m=(1, 1), formats=of),
        *early,
        Rule("batched", "few rows share each weight that is unpacked", m=(2, _BATCH), formats=of),
        Rule(many, why, m=(_BATCH + 1, None), formats=of),
        Rule("own", "the format knows what its kernels need", formats=of),
    )


def _early(format_: str, first: int, columns: int, *dtypes: str) -> Rule:
    return Rule(
        "gemm",
        "a batched GEMV would ask for X too often",
        m=(first, _BATCH),
        n=(columns, None),
        dtypes=dtypes,
        formats=(format_,),
    )


DEFAULT = Table(
    (
        _float("rows", "each load of x serves four rows of W", m=(1, 1)),
        _float("batched", "few rows share each weight in registers", m=(2, 5)),
        *(
            _float("low", "tiles of 8 × 128 are mostly full", m=m, n=n)
            for m in ((6, 8), (14, 16))
            for n in _FULL
        ),
        *(_float("square", "columns fill whole tiles of 32", m=(16, 16), n=n) for n in _WHOLE),
        _float("batched", "tiles would be mostly empty", m=(6, _BATCH)),
        _float("square", "one tile of 32 rows holds them all", m=(17, 32)),
        _float("square", "a tile of 64 columns would be half empty", n=(None, 32)),
        _float("large", "a larger tile asks for elements less often"),
        *_packed("q4_0", "gemm", _early("q4_0", 14, 64, "float32")),
        *_packed("q8_0", "dequantized"),
        *_packed("q4_k", "gemm"),
        *_packed("affine", "gemm"),
        *_packed(
            "nested",
            "gemm",
            _early("nested", 6, 56, "float32"),
            _early("nested", 14, 36, "float32"),
            _early("nested", 15, 96, "float16", "bfloat16"),
        ),
    )
)
