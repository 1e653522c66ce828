"""The roofline of Williams, Waterman and Patterson (2009), drawn from counters: how long a kernel must take.

Each distinct byte has to come from memory or go there once, and each operation has to be done: whichever of
the two takes longer at a chip's best speed is a time that no run on that chip can beat. It is a bound and no
prediction: real runs are slower, often by much.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from . import chips
from .chips import Chip

if TYPE_CHECKING:
    from .counters import Counters

DTYPES = ("float32", "float16", "bfloat16")
MMA_FLOPS = 2 * 8 * 8 * 8


@dataclass(frozen=True)
class Roofline:
    """A lower bound of a kernel's time on a chip.

    bytes: distinct bytes of all buffers, read and written. flops: floating-point operations, 1,024 for each
    8×8×8 product. memory_seconds, compute_seconds: what each part takes at the chip's best; compute_seconds
    is None where the chip's peak for the dtype is not known. seconds: the larger, the bound. limit: "memory"
    or "compute". sources: where the chip's figures are published.
    """

    chip: Chip
    dtype: str
    bytes: int
    flops: int
    memory_seconds: float
    compute_seconds: float | None
    sources: tuple[str, ...]

    @property
    def seconds(self) -> float:
        return max(self.memory_seconds, self.compute_seconds or 0.0)

    @property
    def limit(self) -> str:
        return "compute" if (self.compute_seconds or 0.0) > self.memory_seconds else "memory"

    @property
    def intensity(self) -> float:
        """Operations for each distinct byte; infinite where none is touched, NaN where nothing was done."""
        if self.bytes:
            return self.flops / self.bytes
        return math.inf if self.flops else math.nan

    def __str__(self) -> str:
        if not self.seconds:
            return f"nothing was counted that takes time on {with_article(self.chip.name)}"
        said = f"at least {_time(self.seconds)} on {with_article(self.chip.name)}: "
        if self.limit == "memory":
            said += f"memory, {self.chip.bandwidth.value / 1e9:,.4g} GB/s"
        else:
            assert self.compute_seconds is not None
            rate = self.flops / self.compute_seconds / 1e12
            said += f"compute, {rate:,.3g} TFLOP/s in {self.dtype}"
        if self.compute_seconds is None:
            said += f" (its peak in {self.dtype} is not known)"
        return said


def roofline(counters: Counters, chip: str | Chip, dtype: str = "float32") -> Roofline:
    """The bound for what ``counters`` counted, over all its launches, on a chip.

    chip: a name in ``chips.CHIPS`` ("M2 Pro"), or a ``Chip`` of your own. dtype: what the kernel computes in,
    "float32", "float16" or "bfloat16"; counters do not tell these apart. The bound takes it that data start
    and end in memory: a kernel whose data are still in a cache from before can be faster. Raises
    ``ValueError`` for an unknown chip or dtype.
    """
    if dtype not in DTYPES:
        raise ValueError(f"dtype must be one of {', '.join(DTYPES)}; got {dtype!r}")
    known = chip if isinstance(chip, Chip) else chips.find(chip)
    moved = sum(b.distinct_bytes_read + b.distinct_bytes_written for b in counters.buffers.values())
    products = MMA_FLOPS * counters.mma
    figures = [known.bandwidth]
    compute = None
    if dtype in known.peak:
        peak = known.peak[dtype]
        figures.append(peak)
        if dtype in known.matrix:
            # Units of their own work beside the others: the slower of the two decides.
            compute = max(counters.flops / peak.value, products / known.matrix[dtype].value)
            figures.append(known.matrix[dtype])
        else:
            compute = (counters.flops + products) / peak.value
    return Roofline(
        chip=known,
        dtype=dtype,
        bytes=moved,
        flops=counters.flops + products,
        memory_seconds=moved / known.bandwidth.value,
        compute_seconds=compute,
        sources=tuple(dict.fromkeys(f.source for f in figures)),
    )


def _time(seconds: float) -> str:
    """Two digits, rounded down: "at least" stays true."""
    size, unit = 1e-9, "ns"
    for least, one, name in ((1.0, 1.0, "s"), (1e-4, 1e-3, "ms"), (1e-6, 1e-6, "µs")):
        if seconds >= least:
            size, unit = one, name
            break
    number = seconds / size
    step = 10.0 ** (math.floor(math.log10(number)) - 1)
    return f"{math.floor(number / step * (1 + 1e-12)) * step:.4g} {unit}"


def with_article(name: str) -> str:
    """``an M2 Pro``, ``a GH200``."""
    spelled = name[:1] in "AEFHILMNORSX" and name[1:2].isdigit()
    return ("an " if spelled or name[:1] in "AEIO" else "a ") + name
