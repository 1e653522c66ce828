"""What launches moved and computed: counted, the same on every machine, never measured."""

from __future__ import annotations

from dataclasses import dataclass, field

from . import display
from .chips import Chip
from .roofline import Roofline, roofline

SECTOR = 32


@dataclass
class BufferCounters:
    """Traffic of one buffer, in bytes and transactions.

    bytes_read, bytes_written: asked for by all active lanes. distinct_bytes_*: touched at least once in a
    launch, added up over launches: what would have to move if every byte moved once. sectors, lines: 32-byte
    and 128-byte pieces that each SIMD-group's access touches. bank_conflicts: further rounds that threadgroup
    memory of 32 banks of 4 bytes needs.
    """

    bytes_read: int = 0
    bytes_written: int = 0
    distinct_bytes_read: int = 0
    distinct_bytes_written: int = 0
    sectors: int = 0
    lines: int = 0
    unique_bytes: int = 0
    bank_conflicts: int = 0

    @property
    def coalescing(self) -> float:
        """Bytes asked for, each once per access, over the bytes of the sectors touched; 1 is best. NaN
        without any."""
        return self.unique_bytes / (SECTOR * self.sectors) if self.sectors else float("nan")

    def add(self, other: BufferCounters) -> None:
        for name in self.__dataclass_fields__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


@dataclass
class LineCounters:
    """What one line of the learner's text did."""

    bytes_read: int = 0
    bytes_written: int = 0
    sectors: int = 0
    lines: int = 0
    bank_conflicts: int = 0
    flops: int = 0
    integer_ops: int = 0
    mma: int = 0
    lanes: int = 0
    steps: int = 0

    @property
    def active_lanes(self) -> float:
        """The mean fraction of lanes that were active; NaN if the line never ran."""
        return self.lanes / (32 * self.steps) if self.steps else float("nan")


@dataclass(frozen=True)
class SimdgroupIndex:
    """A SIMD-group of a launch: the launch's number from 0, its threadgroup's position, its index there."""

    launch: int
    threadgroup: tuple[int, int, int]
    simdgroup: int

    def __str__(self) -> str:
        x, y, z = self.threadgroup
        return f"{self.launch}: ({x}, {y}, {z}) {self.simdgroup}"


@dataclass
class Counters:
    """All counters of the launches inside one ``checked()``.

    buffers: device and constant buffers by name. threadgroup: threadgroup memory. flops: floating-point
    operations of all lanes, a fused multiply-add is 2, matrix products are apart. mma: 8×8×8 products.
    integer_ops: of all lanes, addresses' own arithmetic left out. load_conflicts: further rounds of the banks
    that one load from threadgroup memory needs, in the mean, of the load that needs most. barriers, lane_ops:
    times that a SIMD-group came to a threadgroup barrier or a cross-lane operation. active_lanes: mean
    fraction of lanes active, over all blocks run. threadgroup_memory: bytes a threadgroup, the most of any
    launch. by_line: by (file, line). by_simdgroup: memory accesses of each SIMD-group, where
    ``checked(per_simdgroup=True)`` asked for them.
    """

    buffers: dict[str, BufferCounters] = field(default_factory=dict)
    threadgroup: BufferCounters = field(default_factory=BufferCounters)
    flops: int = 0
    mma: int = 0
    integer_ops: int = 0
    barriers: int = 0
    lane_ops: int = 0
    load_conflicts: float = 0.0
    threadgroup_memory: int = 0
    launches: int = 0
    by_line: dict[tuple[str, int], LineCounters] = field(default_factory=dict)
    by_simdgroup: dict[SimdgroupIndex, LineCounters] = field(default_factory=dict)
    steps: int = 0
    lanes: int = 0

    @property
    def active_lanes(self) -> float:
        return self.lanes / (32 * self.steps) if self.steps else float("nan")

    def table(self) -> str:
        """The counters as plain text: a row for each buffer, then what was computed."""
        return display.counters_text(self)

    def roofline(self, chip: str | Chip, dtype: str = "float32") -> Roofline:
        """How long all of this must take on a chip at least, by name ("M2 Pro"): see ``checks.roofline``."""
        return roofline(self, chip, dtype)

    def _repr_html_(self) -> str:
        return display.counters_html(self)
