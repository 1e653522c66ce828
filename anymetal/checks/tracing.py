"""From the records of one SIMD-group to a trace: whom to follow, and what the records say."""

from __future__ import annotations

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from anymetal.errors import LaunchError
from anymetal.runtime import build
from anymetal.simt import Layout
from anymetal.simt.ir import LANES, Type
from anymetal.simt.variables import evaluate

from . import trace_state
from .launch import Ran
from .program import CheckedProgram, compile_watched
from .report import Report
from .sites import ATOMIC, PRIVATE, STORE, Place, Site
from .trace import Lanes, MemoryAccess, Shuffle, Step, Trace
from .tracer import ACCESS, BARRIER, SHUFFLE, STEP, VARIABLE, Point, Tracer, Variable, functions

KINDS = {STORE: "write", ATOMIC: "atomic"}
SPACES = ("device", "constant", "threadgroup", "thread")
Number = int | float | bool


@dataclass
class Request:
    """Whom to follow. ``made``: the trace, once there is one."""

    threadgroup: tuple[int, int, int]
    simdgroup: int
    launch: int
    max_steps: int
    made: Trace | None = None
    tracer: Tracer | None = None
    state: trace_state.State | None = None

    def wants(self, launch: int, grid: tuple[int, int, int], size: tuple[int, int, int]) -> bool:
        """Whether this launch is the one. Raises ``ValueError`` if it has no such SIMD-group."""
        if launch != self.launch:
            return False
        groups = tuple(-(-g // s) for g, s in zip(grid, size, strict=True))
        if any(t >= g for t, g in zip(self.threadgroup, groups, strict=True)):
            raise LaunchError(f"threadgroup must be within {groups}, got {self.threadgroup}")
        here = [min(s, g - t * s) for s, g, t in zip(size, grid, self.threadgroup, strict=True)]
        count = -(-math.prod(here) // LANES)
        if self.simdgroup >= count:
            raise LaunchError(
                f"simdgroup must be below {count}, which threadgroup {self.threadgroup} has, "
                f"got {self.simdgroup}"
            )
        return True

    def program(self, source: build.Source, kernel: str, layouts: tuple[Layout, ...]) -> CheckedProgram:
        program, self.tracer = _traced(source, kernel, layouts)
        return program

    def attach(self) -> int:
        """The address of what the kernel writes to."""
        self.state = trace_state.State(self.threadgroup, self.simdgroup, self.max_steps)
        return self.state.address

    def read(self, ran: Ran, report: Report) -> None:
        assert self.tracer is not None
        assert self.state is not None
        reader = _Reader(ran, self.tracer.points)
        for kind, number, mask, data in self.state.records():
            reader.add(kind, number, mask, data)
        self.made = Trace(
            kernel=ran.launch.kernel,
            grid=ran.launch.grid,
            threads_per_threadgroup=ran.launch.threadgroup,
            threadgroup=self.threadgroup,
            simdgroup=self.simdgroup,
            steps=reader.steps,
            complete=self.state.complete,
            types=reader.types,
            sources=report.sources,
            report=report,
        )


_lock = threading.Lock()
_programs: dict[tuple[object, ...], tuple[CheckedProgram, Tracer]] = {}
_KEEP = 16


def _traced(source: build.Source, kernel: str, layouts: tuple[Layout, ...]) -> tuple[CheckedProgram, Tracer]:
    """Compiled once: whom to follow stands in the state that the program gets with each launch."""
    key = (source.identity(), kernel, layouts)
    with _lock:
        if key not in _programs:
            if len(_programs) >= _KEEP:
                _programs.clear()
            _programs[key] = compile_watched(
                source, kernel, layouts, Tracer, variables=True, functions=functions()
            )
        return _programs[key]


class _Reader:
    """Makes steps of records."""

    def __init__(self, ran: Ran, points: Sequence[Point]) -> None:
        self.ran, self.points = ran, points
        self.steps: list[Step] = []
        self.now: dict[str, list[Any]] = {}
        self.types: dict[str, str] = {}
        self.names: dict[Variable, str] = {}

    def add(self, kind: int, number: int, mask: int, data: bytes) -> None:
        point = self.points[number]
        if kind == VARIABLE and not self.steps and not data:
            return
        if kind == STEP or not self.steps:
            # A parameter has its value before any line runs: the line that declares it will do.
            at: Place | Variable = point.place
            if point.variable is not None and not point.place.line:
                at = point.variable
            self.steps.append(Step(self.ran.names.get(at.file, at.file), at.line, mask))
        step = self.steps[-1]
        if kind == ACCESS:
            step.accesses += self._accesses(point, mask, data)
        elif kind == SHUFFLE:
            source, *given = _vectors(point.pieces, data, mask)
            step.shuffles.append(Shuffle(tuple(s if s is None else s % LANES for s in source), _zip(given)))
        elif kind == BARRIER:
            step.barrier = True
        elif kind == VARIABLE:
            self._variable(step, point, mask, data)

    def _accesses(self, point: Point, mask: int, data: bytes) -> list[MemoryAccess]:
        """One access; several where its lanes reach different memories."""
        addresses, *values = _vectors(point.pieces, data, mask)
        found: dict[int, list[Any]] = {}
        for lane, address in enumerate(addresses):
            if address is not None:
                found.setdefault(self._root(point, address), [None] * LANES)[lane] = address
        return [self._access(point, root, tuple(lanes), values) for root, lanes in found.items()]

    def _access(self, point: Point, root: int, addresses: Lanes, values: list[Lanes]) -> MemoryAccess:
        at = self.ran.state.roots[root] if root >= 0 else None
        site = Site(point.place, point.access, point.space, point.bytes, 1, point.root, point.element)
        return MemoryAccess(
            kind=KINDS.get(point.access, "read"),
            memory=self.ran.memory_name(root, site) if root >= 0 else "memory",
            space=SPACES[point.space],
            size=at.size if at else 0,
            offset=tuple(None if a is None else _signed(a - (at.base if at else 0)) for a in addresses),
            bytes=point.bytes,
            element=max(point.element, 1),
            value=_only(_zip(values), addresses) if values else None,
        )

    def _root(self, point: Point, address: int) -> int:
        """The memory that a point leads to; where several are possible, the one that begins last before the
        address."""
        best = -1
        for number, memory in enumerate(self.ran.program.memories):
            if point.root is not None:
                if memory.root == point.root:
                    return number
                continue
            base = self.ran.state.roots[number].base
            same = memory.root.space == point.space or {memory.root.space, point.space} == {0, 1}
            later = best < 0 or base > self.ran.state.roots[best].base
            if same and point.space != PRIVATE and base <= address and later:
                best = number
        return best

    def _variable(self, step: Step, point: Point, mask: int, data: bytes) -> None:
        assert point.variable is not None
        if not data and point.variable not in self.names:
            return
        name = self._name(point.variable)
        if not data:
            if self.now.pop(name, None) is not None:
                step.variables[name] = None
            return
        variable = point.variable
        values = _zip(_vectors(point.pieces, data, mask, variable.unsigned, variable.type == "bool"))
        if point.expression:
            values = tuple(None if v is None else _computed(point.expression, v, variable) for v in values)
        kept = self.now.setdefault(name, [None] * LANES)
        if all(v is None or _same(v, k) for v, k in zip(values, kept, strict=True)):
            return
        self.now[name] = [k if v is None else v for v, k in zip(values, kept, strict=True)]
        before = step.variables.get(name)
        if before is not None:
            values = tuple(b if v is None else v for v, b in zip(values, before, strict=True))
        step.variables[name] = values

    def _name(self, variable: Variable) -> str:
        """Two variables of one name are told apart by the lines that declare them."""
        if variable not in self.names:
            name = variable.name
            if name in self.types:
                name = f"{name} (line {variable.line})"
            self.names[variable] = name
            self.types[name] = variable.type
        return self.names[variable]


# -- values ----------------------------------------------------------------------------------------------

_FLOATS = {"half": np.float16, "float": np.float32, "double": np.float64}


def _vectors(
    types: Sequence[Type], data: bytes, mask: int, unsigned: bool = True, boolean: bool = False
) -> list[Lanes]:
    """The vectors of a record as numbers, None in inactive lanes."""
    found: list[Lanes] = []
    at = 0
    for type_ in types:
        end = at + LANES * type_.size
        found.append(_numbers(type_, data[at:end], mask, unsigned, boolean))
        at = end
    return found


def _numbers(type_: Type, data: bytes, mask: int, unsigned: bool, boolean: bool) -> Lanes:
    numbers: list[Number]
    if type_.text == "bfloat":
        wide = np.frombuffer(data, np.uint16).astype(np.uint32) << 16
        numbers = [_short(x) for x in wide.view(np.float32)]
    elif type_.kind == "float":
        numbers = [_short(x) for x in np.frombuffer(data, _FLOATS[type_.text])]
    else:
        numbers = np.frombuffer(data, f"<{'u' if unsigned else 'i'}{type_.size}").tolist()
        if boolean:
            numbers = [bool(n) for n in numbers]
    return tuple(n if mask >> lane & 1 else None for lane, n in enumerate(numbers))


def _computed(expression: Sequence[str], value: int, variable: Variable) -> Number:
    found = evaluate(expression, int(value))
    assert found is not None  # read_variable has tried it
    low = found & ((1 << variable.bits) - 1)
    if variable.type == "bool":
        return bool(low & 1)
    return low - (1 << variable.bits) if not variable.unsigned and low >> (variable.bits - 1) else low


def _short(x: np.floating[Any]) -> float:
    """The shortest decimal that is this number in its own precision."""
    return float(str(x))


def _signed(offset: int) -> int:
    return offset - (1 << 64) if offset >> 63 & 1 and offset > 0 else offset


def _zip(vectors: Sequence[Lanes]) -> Lanes:
    """One value a lane: a number, or a tuple of several."""
    if len(vectors) == 1:
        return vectors[0]
    return tuple(None if any(v is None for v in lane) else lane for lane in zip(*vectors, strict=True))


def _only(values: Lanes, where: Lanes) -> Lanes:
    return tuple(None if w is None else v for v, w in zip(values, where, strict=True))


def _same(a: object, b: object) -> bool:
    return repr(a) == repr(b)  # NaN is the same as NaN, 0.0 is not -0.0
