"""What one SIMD-group does, step by step: ``anymetal.trace``.

A step is a line of the text with the lanes that run it, the memory they touch, the values they exchange, and
the variables that get new values. Steps are those of the compiled kernel: what the compiler has moved or
folded away is seen where it ended up, or not at all.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .report import BACK_EDGES, Report, checked

MAX_STEPS = 10_000
LANES = 32

# One for each of the 32 lanes; None where a lane takes no part.
Lanes = tuple[Any, ...]


@dataclass(frozen=True)
class MemoryAccess:
    """An access by the active lanes.

    kind: "read", "write" or "atomic". memory: its name; space: "device", "constant", "threadgroup" or
    "thread". size: its bytes. offset: in bytes from its start, by lane. bytes: that each lane touches.
    element: bytes of one element, of which a vector has several. value: what was read or written, by lane; a
    tuple in each where a lane has several elements; None where it was not recorded.
    """

    kind: str
    memory: str
    space: str
    size: int
    offset: Lanes
    bytes: int
    element: int
    value: Lanes | None

    @property
    def index(self) -> Lanes:
        """The first element that each lane touches."""
        return tuple(None if o is None else o // self.element for o in self.offset)


@dataclass(frozen=True)
class Shuffle:
    """Lanes that take values of others: from which lane, and the values that were given, by lane."""

    source: Lanes
    given: Lanes


@dataclass
class Step:
    """A line's run by the lanes of ``mask`` (lane 0 is the lowest bit).

    file, line: in the text as written. variables: those that got new values; None for one of which the
    compiler keeps no value from here on. barrier: the SIMD-group then waits for the others.
    """

    file: str
    line: int
    mask: int
    accesses: list[MemoryAccess] = field(default_factory=list)
    shuffles: list[Shuffle] = field(default_factory=list)
    variables: dict[str, Lanes | None] = field(default_factory=dict)
    barrier: bool = False


@dataclass
class Trace:
    """The steps of one SIMD-group.

    kernel, grid, threads_per_threadgroup: the launch. threadgroup: the position of the threadgroup that was
    followed, simdgroup: the index in it. complete: False where ``max_steps`` cut it short. types: of each
    variable. sources: the texts by name. report: everything else that was found and counted.
    """

    kernel: str
    grid: tuple[int, int, int]
    threads_per_threadgroup: tuple[int, int, int]
    threadgroup: tuple[int, int, int]
    simdgroup: int
    steps: list[Step]
    complete: bool
    types: dict[str, str]
    sources: dict[str, str]
    report: Report

    def __len__(self) -> int:
        return len(self.steps)

    def variables(self, step: int) -> dict[str, Lanes]:
        """The values that variables have after a step, by lane."""
        now: dict[str, list[Any]] = {}
        for one in self.steps[: step % len(self.steps) + 1]:
            for name, values in one.variables.items():
                if values is None:
                    now.pop(name, None)
                    continue
                kept = now.setdefault(name, [None] * LANES)
                now[name] = [k if v is None else v for k, v in zip(kept, values, strict=True)]
        return {name: tuple(values) for name, values in now.items()}

    def text(self, step: Step) -> str:
        """The line that a step runs."""
        lines = self.sources.get(step.file, "").splitlines()
        return lines[step.line - 1].strip() if 0 < step.line <= len(lines) else ""

    def to_dict(self) -> dict[str, Any]:
        """All but the report, for JSON: lists and numbers; infinities and NaN are strings."""
        return {
            "kernel": self.kernel,
            "grid": list(self.grid),
            "threads_per_threadgroup": list(self.threads_per_threadgroup),
            "threadgroup": list(self.threadgroup),
            "simdgroup": self.simdgroup,
            "complete": self.complete,
            "types": self.types,
            "sources": self.sources,
            "steps": [_step_dict(step) for step in self.steps],
        }

    def to_json(self) -> str:
        """``to_dict`` as compact JSON."""
        return json.dumps(self.to_dict(), separators=(",", ":"), allow_nan=False, ensure_ascii=False)

    def __str__(self) -> str:
        out = []
        for number, step in enumerate(self.steps):
            lanes = f"{step.mask.bit_count():>2} lanes" if step.mask != 0xFFFFFFFF else "all lanes"
            out.append(f"{number:>4}  {lanes:<9}  {step.line:>4}  {self.text(step)}")
            out += [" " * 23 + f"{a.kind} {a.memory}{_range(a.index)}" for a in step.accesses]
            out += [
                " " * 23 + f"{name} = {'?' if values is None else _few(values)}"
                for name, values in step.variables.items()
            ]
        return "\n".join(out) + ("" if self.complete else "\n… cut short")


def trace(
    kernel_call: Callable[[], object],
    *,
    threadgroup: int | tuple[int, int, int] = (0, 0, 0),
    simdgroup: int = 0,
    launch: int = 0,
    max_steps: int = MAX_STEPS,
    back_edges: int = BACK_EDGES,
) -> Trace:
    """Run ``kernel_call`` checked, and follow one SIMD-group of one of its launches.

    kernel_call: a function without arguments that calls the kernel (``lambda: kernel(...)``). threadgroup:
    the position in the grid of the one that is followed. simdgroup: its index there. launch: which launch,
    where there are several. max_steps: where to stop writing down; the kernel itself runs to its end.
    back_edges: as in ``checked``.

    Raises ``ValueError`` for a threadgroup, SIMD-group or launch that there is not.
    """
    if not callable(kernel_call):
        raise TypeError(f"kernel_call must be a function without arguments, got {kernel_call!r}")
    where = (threadgroup, 0, 0) if isinstance(threadgroup, int) else tuple(threadgroup)
    if len(where) != 3 or any(not isinstance(n, int) or n < 0 for n in where):
        raise ValueError(f"threadgroup must be a position, three whole numbers from 0, got {threadgroup!r}")
    numbers = (("simdgroup", simdgroup, 0), ("launch", launch, 0), ("max_steps", max_steps, 1))
    for name, value, least in numbers:
        if not isinstance(value, int) or value < least:
            raise ValueError(f"{name} must be a whole number from {least}, got {value!r}")
    from .tracing import Request  # it needs the whole compiler, which most runs never load

    request = Request((where[0], where[1], where[2]), simdgroup, launch, max_steps)
    with checked(back_edges=back_edges) as report:
        report.follower = request
        kernel_call()
    if request.made is None:
        raise ValueError(
            f"launch must be one that kernel_call makes: it made {len(report.launches)}, got launch {launch}"
        )
    return request.made


def _json(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_json(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
    return value


def _step_dict(step: Step) -> dict[str, Any]:
    made: dict[str, Any] = {"file": step.file, "line": step.line, "mask": step.mask}
    if step.accesses:
        made["accesses"] = [
            {
                "kind": a.kind,
                "memory": a.memory,
                "space": a.space,
                "size": a.size,
                "element": a.element,
                "bytes": a.bytes,
                "offset": list(a.offset),
                "value": None if a.value is None else _json(a.value),
            }
            for a in step.accesses
        ]
    if step.shuffles:
        made["shuffles"] = [{"source": list(s.source), "given": _json(s.given)} for s in step.shuffles]
    if step.variables:
        made["variables"] = {n: None if v is None else _json(v) for n, v in step.variables.items()}
    if step.barrier:
        made["barrier"] = True
    return made


def _range(index: Lanes) -> str:
    there = [i for i in index if i is not None]
    return f"[{min(there)}…{max(there)}]" if len(set(there)) > 1 else f"[{there[0]}]" if there else ""


def _few(values: Lanes) -> str:
    there = [v for v in values if v is not None]
    if len(set(map(repr, there))) == 1:
        return f"{there[0]} in each"
    return ", ".join(str(v) for v in there[:4]) + (", …" if len(there) > 4 else "")
