"""One checked launch: run it watched, and read what the monitor saw."""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from anymetal.runtime import build, limits
from anymetal.runtime.launch import Size3, plan
from anymetal.simt import layouts_for

from .counters import BufferCounters, Counters, LineCounters
from .findings import KINDS, Access, Finding, Thread
from .operations import Operations
from .program import CheckedProgram, Memory, checked_program
from .report import Launch, Report
from .simdgroups import PerSimdgroup
from .sites import ATOMIC, LOAD, PRIVATE, THREADGROUP, Place, Site
from .state import FIRST_THREADS, Buffer, Record, State, prepare
from .state import Thread as ThreadRecord

LAUNCH_WORD = 14
TRACE_WORD = 95  # of the launch block: its last, which nothing else uses
ALIGN = 128
ARGUMENTS = 48  # the first word of a launch that tells where [[threadgroup(i)]] memory is


def run(
    source: build.Source,
    kernel: str,
    *,
    grid: Size3,
    threadgroup: Size3,
    large: bool,
    buffers: Mapping[int, Buffer],
    files: Mapping[str, str],
    report: Report,
    threadgroup_arguments: Sequence[int] = (),
) -> None:
    """Launch ``kernel`` watched, and add what was seen to ``report``.

    ``buffers`` by ``[[buffer(i)]]``; ``files`` holds the learner's texts by name;
    ``threadgroup_arguments``: bytes of each ``[[threadgroup(i)]]``.
    """
    size: Size3 = (min(threadgroup[0], grid[0]), min(threadgroup[1], grid[1]), min(threadgroup[2], grid[2]))
    layouts = layouts_for(grid, size, large=large)
    follower = report.follower
    if follower is not None and not follower.wants(len(report.launches), grid, size):
        follower = None
    program = (follower.program if follower else checked_program)(source, kernel, layouts)
    limits.check_program(
        threadgroup, program.kernel.max_threads, program.threadgroup_bytes, sum(threadgroup_arguments)
    )
    made = plan(
        program.loaded,
        grid=grid,
        threadgroup=threadgroup,
        frame_bytes=program.frame_bytes,
        threadgroup_bytes=program.threadgroup_bytes,
        threadgroup_arguments=tuple(threadgroup_arguments),
    )
    scratch = np.empty(made.scratch + ALIGN, np.uint8)
    start = -(-scratch.ctypes.data // ALIGN) * ALIGN
    block = (ctypes.c_int64 * (len(made.block) // 8)).from_buffer_copy(made.block)
    simdgroups = -(-size[0] * size[1] * size[2] // 32)
    first = start + block[12]
    arguments = [(first + block[ARGUMENTS + i], n) for i, n in enumerate(threadgroup_arguments)]
    state = prepare(program, buffers, first, arguments, simdgroups, report.back_edges)
    for index, buffer in buffers.items():
        block[16 + index] = buffer.address
    block[LAUNCH_WORD] = ctypes.addressof(state.monitor)
    if follower:
        block[TRACE_WORD] = follower.attach()
    if report.per_simdgroup:
        groups = (-(-grid[0] // size[0]), -(-grid[1] // size[1]))
        each = PerSimdgroup(program, state, report.counters, groups)
        state.monitor.ran = each.address
    program.loaded.call(ctypes.addressof(block), start)
    launch = Launch(kernel, grid, size)
    names = report.remember(launch, files)
    in_all = program.threadgroup_bytes + sum(threadgroup_arguments)
    _count(program, state, buffers, in_all, report.counters, names)
    reader = _Reader(program, state, buffers, files, grid, size)
    report.findings += [replace(f, file=names.get(f.file, f.file)) for f in reader.findings()]
    if follower:
        follower.read(Ran(program, state, names, launch, reader.name), report)


@dataclass(frozen=True)
class Ran:
    """A launch that is over. names: what the report calls the program's texts. memory_name: what the learner
    calls the memory of a number, at a site."""

    program: CheckedProgram
    state: State
    names: Mapping[str, str]
    launch: Launch
    memory_name: Callable[[int, Site], str]


# -- counters --------------------------------------------------------------------------------------------


def _count(
    program: CheckedProgram,
    state: State,
    buffers: Mapping[int, Buffer],
    threadgroup_bytes: int,
    counters: Counters,
    names: Mapping[str, str],
) -> None:
    counters.launches += 1
    counters.threadgroup_memory = max(counters.threadgroup_memory, threadgroup_bytes)
    for buffer in buffers.values():
        counters.buffers.setdefault(buffer.name, BufferCounters())
    for number, memory in enumerate(program.memories):
        if memory.root.kind == "buffer":
            into = counters.buffers[buffers[int(memory.root.name)].name]
            seen = state.seen[number]
            into.distinct_bytes_read += int(np.count_nonzero(seen & 1)) * memory.grain
            into.distinct_bytes_written += int(np.count_nonzero(seen & 2)) * memory.grain
    for described, site in zip(program.sites, state.sites, strict=False):
        if described.span is not None:
            # What span.c let through is counted by what is known of its pattern.
            site.accesses += site.spans
            site.lanes += 32 * site.spans
            site.unique_bytes += described.span.unique_bytes * site.spans
            site.conflicts += described.span.conflicts * site.spans
        moved = 0 if described.space == PRIVATE else site.lanes * described.size
        traffic = BufferCounters(
            bytes_read=moved if described.kind in (LOAD, ATOMIC) else 0,
            bytes_written=moved if described.kind != LOAD else 0,
            sectors=site.sectors,
            lines=site.lines,
            unique_bytes=site.unique_bytes if site.sectors else 0,
            bank_conflicts=site.conflicts,
        )
        if described.space == THREADGROUP:
            counters.threadgroup.add(traffic)
            if described.kind == LOAD and site.accesses:
                counters.load_conflicts = max(counters.load_conflicts, site.conflicts / site.accesses)
        elif described.root is not None and described.root.kind == "buffer":
            counters.buffers[buffers[int(described.root.name)].name].add(traffic)
        line = _line(counters, described.place, names)
        line.bytes_read += traffic.bytes_read
        line.bytes_written += traffic.bytes_written
        line.sectors += traffic.sectors
        line.lines += traffic.lines
        line.bank_conflicts += traffic.bank_conflicts
        line.lanes += site.lanes
        line.steps += site.accesses
    for described_block, block in zip(program.blocks, state.blocks, strict=False):
        runs, lanes = block.full + block.parted, 32 * block.full + block.lanes
        counters.steps += runs
        counters.lanes += lanes
        for cost in described_block.operations:
            _add(counters, cost, runs, lanes, names)


def _line(counters: Counters, place: Place, names: Mapping[str, str]) -> LineCounters:
    return counters.by_line.setdefault((names.get(place.file, place.file), place.line), LineCounters())


def _add(counters: Counters, cost: Operations, runs: int, lanes: int, names: Mapping[str, str]) -> None:
    counters.flops += cost.flops * lanes
    counters.integer_ops += cost.integer_ops * lanes
    counters.mma += cost.mma * runs
    counters.lane_ops += cost.lane_ops * runs
    counters.barriers += cost.barriers * runs
    line = _line(counters, cost.place, names)
    line.flops += cost.flops * lanes
    line.integer_ops += cost.integer_ops * lanes
    line.mma += cost.mma * runs
    line.lanes += lanes
    line.steps += runs


# -- findings --------------------------------------------------------------------------------------------


class _Reader:
    """Makes findings of the monitor's records."""

    def __init__(
        self,
        program: CheckedProgram,
        state: State,
        buffers: Mapping[int, Buffer],
        files: Mapping[str, str],
        grid: Size3,
        size: Size3,
    ) -> None:
        self.program, self.state, self.buffers = program, state, buffers
        self.lines = {name: text.splitlines() for name, text in files.items()}
        self.grid, self.size = grid, size

    def findings(self) -> list[Finding]:
        count = self.state.monitor.record_count
        found: dict[tuple[object, ...], Finding] = {}
        for record in self.state.records[:count]:
            one = self._finding(record)
            # The compiler may make several instructions of one place in the text: they are one finding.
            other = (one.other.line, one.other.column) if one.other else None
            key = (one.kind, one.file, one.line, one.column, one.buffer, other)
            if key in found:
                first = found[key]
                threads = (*first.threads, *one.threads)[:FIRST_THREADS]
                one = replace(first, count=first.count + one.count, threads=threads)
            found[key] = one
        return [*_merged(list(found.values()))] + [
            f for b in self.buffers if (f := self._unwritten(b)) is not None
        ]

    def _finding(self, record: Record) -> Finding:
        kind = KINDS[record.kind]
        site = self.program.sites[record.site]
        if kind == "endless-loop":
            site = replace(site, place=self._endless(record.site))
        memory = self.program.memories[record.root] if record.root >= 0 else None
        name, total = self._memory(record.root, memory, site)
        index = record.index // max(site.scalar, 1)
        if kind == "out-of-bounds" and 0 <= index < total:
            index = total  # several elements at once, of which the first lie inside
        if memory is not None and memory.root.kind == "buffer":
            index -= self.buffers[int(memory.root.name)].before // max(site.scalar, 1)
        threads = tuple(
            self._thread(record.threads[i]) for i in range(min(record.count, len(record.threads)))
        )
        other = self._other(record) if kind in ("race", "same-value-race") else None
        about_memory = kind in ("out-of-bounds", "race", "same-value-race", "uninitialised", "misaligned")
        return Finding(
            kind=kind,
            message=self._message(kind, site, name, index, total, threads[0], other, record),
            line=site.place.line,
            column=site.place.column,
            text=self._text(site.place),
            buffer=name if about_memory else "",
            index=index if about_memory else None,
            size=total if about_memory else None,
            thread=threads[0],
            other=other,
            count=record.count,
            threads=threads,
            file=site.place.file,
        )

    def _message(
        self,
        kind: str,
        site: Site,
        name: str,
        index: int,
        total: int,
        thread: Thread,
        other: Access | None,
        record: Record,
    ) -> str:
        does = "reads" if site.kind == LOAD else "writes"
        element = f"{name}[{index}]"
        if kind == "out-of-bounds":
            return f"{thread} {does} {element} of {total}"
        if site.space == PRIVATE and total == 1:
            element = name  # a variable that is no array
        if kind == "uninitialised":
            return f"{thread} reads {element}, which nothing has written"
        if kind == "misaligned":
            return f"{thread} {does} {element} at an address that is no multiple of {site.align}"
        if kind in ("race", "same-value-race"):
            assert other is not None
            whom = other.whose(thread)
            same = " the same value" if kind == "same-value-race" else ""
            there = f"uses in line {other.line}, with no barrier between"
            return f"{thread} {does}{same} {element}, which {whom} {there}"
        if kind == "divergent-barrier":
            return f"{thread} does not come to this barrier, where others wait"
        if kind == "inactive-lane":
            return f"{thread} asks for the value of lane {record.index % 32}, which is not active"
        return f"{thread} is still in this loop after {self.state.monitor.budget:,} rounds"

    def _other(self, record: Record) -> Access:
        site = self.program.sites[record.other_site]
        thread = self._thread(record.other) if record.other_group_known else None
        return Access(site.place.line, site.place.column, self._text(site.place), thread)

    def name(self, number: int, site: Site) -> str:
        """What the learner calls a memory, at a site."""
        return self._memory(number, self.program.memories[number], site)[0]

    def _memory(self, number: int, memory: Memory | None, site: Site) -> tuple[str, int]:
        """A memory's name, and how many elements of the site's size it has."""
        if memory is None:
            return "memory", 0
        total = self.state.roots[number].size // max(site.scalar, 1)
        if memory.root.kind == "buffer":
            return self.buffers[int(memory.root.name)].name, total
        if memory.root.space == PRIVATE:
            return self._private(memory.root.name, site), total
        if memory.root.kind == "threadgroup-argument":
            return self._argument(int(memory.root.name)), total
        match = re.search(r"E(\d+)(\w+?)$", memory.root.name)
        return (match[2][: int(match[1])] if match else memory.root.name), total

    def _argument(self, index: int) -> str:
        for parameter in self.program.kernel.parameters:
            if parameter.kind == "threadgroup" and parameter.index == index:
                return parameter.name
        return f"[[threadgroup({index})]]"

    def _endless(self, site: int) -> Place:
        """Where the endless loop starts: of those around the place where the budget ended, the one with the
        most rounds each time that it was come to."""
        m, (x, y, z) = self.state.monitor, self.size
        before = 1 + m.group * -(-x * y * z // 32) + m.simdgroup
        most, place = 0.0, self.program.sites[site].place
        for loop in self.program.loops.get(site, ()):
            block = self.state.blocks[loop.block]
            rounds = block.full + block.parted
            if rounds / before > most:
                most, place = rounds / before, loop.place
            before = max(rounds, 1)
        return place

    def _private(self, name: str, site: Site) -> str:
        """A private array's name: LLVM adds to it what tells copies apart."""
        stem = name.partition(".")[0]
        for candidate in (stem, stem.rstrip("0123456789")):
            if candidate and any(re.search(rf"\b{candidate}\b", "\n".join(t)) for t in self.lines.values()):
                return candidate
        return "a private array"

    def _thread(self, thread: ThreadRecord) -> Thread:
        groups = [-(-g // s) for g, s in zip(self.grid, self.size, strict=True)]
        n = thread.group
        group = (n % groups[0], n // groups[0] % groups[1], n // groups[0] // groups[1])
        size = [min(s, g - i * s) for s, g, i in zip(self.size, self.grid, group, strict=True)]
        k = thread.simdgroup * 32 + thread.lane
        inside = (k % size[0], k // size[0] % size[1], k // size[0] // size[1])
        x, y, z = (i * s + t for i, s, t in zip(group, self.size, inside, strict=True))
        return Thread((x, y, z), group, thread.simdgroup, thread.lane)

    def _text(self, place: Place) -> str:
        if place.file not in self.lines and os.path.isabs(place.file):
            try:
                self.lines[place.file] = Path(place.file).read_text(encoding="utf-8").splitlines()
            except (OSError, UnicodeDecodeError):
                self.lines[place.file] = []
        lines = self.lines.get(place.file, [])
        return lines[place.line - 1] if 0 < place.line <= len(lines) else ""

    def _unwritten(self, index: int) -> Finding | None:
        """An output of which some elements were never written."""
        buffer = self.buffers[index]
        if not buffer.unset or not buffer.size:
            return None
        total = buffer.size // buffer.element
        missing = np.ones(total, np.bool_)
        for number, memory in enumerate(self.program.memories):
            if (
                memory.root.kind == "buffer"
                and int(memory.root.name) == index
                and number in self.state.writers
            ):
                written = np.repeat(self.state.writers[number] != 0, memory.grain)[: buffer.size]
                missing = np.asarray(~written.reshape(total, buffer.element).all(axis=1))
        if not missing.any():
            return None
        first, count = int(np.argmax(missing)), int(missing.sum())
        name = buffer.name
        return Finding(
            kind="unwritten-output",
            message=f"{count:,} of {total:,} elements of {name} are never written, {name}[{first}] first",
            buffer=buffer.name,
            index=first,
            size=total,
            count=count,
        )


def _merged(findings: list[Finding]) -> list[Finding]:
    """A race seen from both sides is one, whatever was written now and then; and what is read before a racing
    thread wrote it is part of the race."""
    kept: list[Finding] = []
    races: dict[tuple[object, ...], int] = {}
    for one in sorted(findings, key=lambda f: f.kind == "same-value-race"):
        if one.other is not None:
            places = sorted([(one.line, one.column), (one.other.line, one.other.column)])
            key = (one.file, one.buffer, *places)
            if key in races:
                first = kept[races[key]]
                kept[races[key]] = replace(first, count=first.count + one.count)
                continue
            races[key] = len(kept)
        kept.append(one)
    racing = {
        (f.buffer, place)
        for f in kept
        if f.other
        for place in ((f.line, f.column), (f.other.line, f.other.column))
    }
    return [f for f in kept if f.kind != "uninitialised" or (f.buffer, (f.line, f.column)) not in racing]
