"""The monitor's state, as ``monitor.c`` lays it out, filled for one launch."""

from __future__ import annotations

import ctypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from .program import CheckedProgram
from .sites import CONSTANT, DEVICE, PRIVATE, THREADGROUP

RECORDS = 256
LINE = 128
SPACES, GROUPS, FIRST_THREADS = 4, 32, 4
u8, u16, u32, u64 = ctypes.c_uint8, ctypes.c_uint16, ctypes.c_uint32, ctypes.c_uint64
i32, i64, pointer = ctypes.c_int32, ctypes.c_int64, ctypes.c_void_p


class Root(ctypes.Structure):
    _fields_ = (
        ("base", u64),
        ("size", u64),
        ("writer", pointer),
        ("reader", pointer),
        ("groups", pointer),
        ("seen", pointer),
        ("written", pointer),
        ("plain", pointer),
        ("grain", u32),
        ("space", u8),
        ("unset", u8),
        ("lead", u16),
    )


class Site(ctypes.Structure):
    _fields_ = (
        ("root", i32),
        ("size", u16),
        ("align", u16),
        ("kind", u8),
        ("space", u8),
        ("atomic", u8),
        ("parts", u8),
        ("candidates", u64),
        ("accesses", u64),
        ("lanes", u64),
        ("unique_bytes", u64),
        ("sectors", u64),
        ("lines", u64),
        ("conflicts", u64),
        ("spans", u64),
        ("stride", u64),
        ("stride_conflicts", u64),
    )


class Thread(ctypes.Structure):
    _fields_ = (("group", u32), ("simdgroup", u32), ("lane", u32))


class Record(ctypes.Structure):
    _fields_ = (
        ("kind", u32),
        ("site", u32),
        ("other_site", u32),
        ("count", u32),
        ("root", i32),
        ("index", i64),
        ("threads", Thread * FIRST_THREADS),
        ("other", Thread),
        ("other_group_known", u32),
    )


class Block(ctypes.Structure):
    _fields_ = (("full", u64), ("parted", u64), ("lanes", u64))


class Monitor(ctypes.Structure):
    _fields_ = (
        ("roots", pointer),
        ("sites", pointer),
        ("blocks", pointer),
        ("records", pointer),
        ("root_count", u32),
        ("site_count", u32),
        ("record_count", u32),
        ("record_limit", u32),
        ("budget", i64),
        ("budget_left", i64),
        ("aborted", u32),
        ("group", u32),
        ("simdgroup", u32),
        ("interval", u32 * SPACES),
        ("first", u32 * SPACES),
        ("step", (u32 * GROUPS) * SPACES),
        ("started", u32 * GROUPS),
        ("stopped_at", u32 * GROUPS),
        ("stop_flags", u32),
        ("ran", pointer),
    )


Ran = ctypes.CFUNCTYPE(None, u32, u32)  # threadgroup, SIMD-group


@dataclass(frozen=True)
class Buffer:
    """A buffer of a launch: ``size`` bytes, of ``element`` bytes each, at an address.

    name: the learner's. unset: an output whose contents mean nothing beforehand. lead: how far into a line it
    starts on a GPU, where memory itself starts lines (a view starts where it starts). before: bytes of it
    that lie before the address, as strides below zero have them.
    """

    name: str
    address: int
    size: int
    element: int
    unset: bool = False
    lead: int = 0
    before: int = 0


NOTHING = Buffer("a buffer that is not there", 0, 0, 1)


@dataclass
class State:
    """The structures of one launch, and arrays that they point to; ``seen`` and ``writers`` by root."""

    monitor: Monitor
    sites: ctypes.Array[Site]
    blocks: ctypes.Array[Block]
    records: ctypes.Array[Record]
    roots: ctypes.Array[Root]
    seen: dict[int, np.ndarray] = field(default_factory=dict)
    writers: dict[int, np.ndarray] = field(default_factory=dict)
    kept: list[np.ndarray] = field(default_factory=list)


def prepare(
    program: CheckedProgram,
    buffers: Mapping[int, Buffer],
    threadgroup: int,
    arguments: Sequence[tuple[int, int]],
    simdgroups: int,
    budget: int,
) -> State:
    """The state before a launch.

    buffers: by index. threadgroup: the address of threadgroup memory. arguments: address and bytes of each
    ``[[threadgroup(i)]]``. simdgroups: in a threadgroup. budget: back edges that a SIMD-group may take.
    """
    roots = (Root * max(len(program.memories), 1))()
    sites = (Site * max(len(program.sites), 1))()
    blocks = (Block * max(len(program.blocks), 1))()
    records = (Record * RECORDS)()
    state = State(Monitor(), sites, blocks, records, roots)

    def array(count: int, dtype: type[np.generic]) -> np.ndarray:
        made = np.zeros(max(count, 1), dtype)
        state.kept.append(made)
        return made

    for number, (memory, root) in enumerate(zip(program.memories, roots, strict=False)):
        kind = memory.root.kind
        root.space, root.grain = memory.root.space, memory.grain
        root.base, root.size = memory.place, memory.size
        if kind == "buffer":
            buffer = buffers.get(int(memory.root.name), NOTHING)
            root.base, root.size, root.unset = buffer.address, buffer.size, buffer.unset
            root.base -= buffer.before
            root.lead = (buffer.lead - buffer.before) % LINE
        elif kind == "threadgroup":
            root.base, root.unset = threadgroup + memory.place, 1
            root.lead = memory.place % LINE
        elif kind == "threadgroup-argument":
            (root.base, root.size), root.unset = arguments[int(memory.root.name)], 1
            root.lead = (root.base - threadgroup) % LINE
        grains = -(-root.size // root.grain)
        if root.space == PRIVATE:
            root.written = array(grains * simdgroups, np.uint32).ctypes.data
            continue
        if root.space in (DEVICE, CONSTANT):
            state.seen[number] = array(grains, np.uint8)
            root.seen = state.seen[number].ctypes.data
        if memory.written or (root.space == THREADGROUP) or root.unset:
            state.writers[number] = array(grains, np.uint64)
            root.writer = state.writers[number].ctypes.data
            root.reader = array(grains, np.uint64).ctypes.data
            if root.space == DEVICE:
                root.groups = array(grains, np.uint32).ctypes.data
                if memory.atomic:
                    root.plain = array(grains, np.uint64).ctypes.data
    order = {memory.root: i for i, memory in enumerate(program.memories)}
    for described, site in zip(program.sites, sites, strict=False):
        site.root = order[described.root] if described.root is not None else -1
        site.size, site.align = described.size, described.align
        site.kind, site.space = described.kind, described.space
        site.atomic, site.parts = described.atomic, described.parts
        site.candidates = sum(1 << i for r in described.candidates if (i := order[r]) < 64)
    m = state.monitor
    m.roots, m.sites = ctypes.addressof(roots), ctypes.addressof(sites)
    m.blocks, m.records = ctypes.addressof(blocks), ctypes.addressof(records)
    m.root_count, m.site_count = len(program.memories), len(program.sites)
    m.record_limit, m.budget = RECORDS, budget
    return state
