"""Figures of a kernel's run: the stepper, the thread explorer, the walk over tiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import anymetal
from anymetal.checks.trace import Step, Trace
from figures import packed
from figures.figure import Figure

LANES = 32


def stepper(trace: Trace, *, title: str = "") -> Figure:
    """One SIMD-group of a recorded run, to step through.

    Args:
        trace: from ``anymetal.trace``. Some hundred steps make a good figure and a light page.
        title: a line over it; by default the kernel's name and where the SIMD-group is.

    Raises:
        TypeError: trace is none.
        ValueError: it has no steps.
    """
    if not isinstance(trace, Trace):
        raise TypeError(f"trace is a {type(trace).__name__}; it must be what anymetal.trace returns.")
    if not trace.steps:
        raise ValueError("trace has no steps; follow a SIMD-group that runs.")
    x, y, z = trace.threads_per_threadgroup
    where = f"threadgroup {trace.threadgroup}, SIMD-group {trace.simdgroup}"
    files = {step.file for step in trace.steps}
    data = {
        "sources": {name: text for name, text in trace.sources.items() if name in files},
        "steps": [_step(step) for step in trace.to_dict()["steps"]],
        "types": trace.types,
        "simdgroup": trace.simdgroup,
        "simdgroups": -(-x * y * z // LANES),
        "complete": trace.complete,
    }
    # MLX puts its own words before a kernel's name, and the template's arguments behind it.
    name = trace.kernel.removeprefix("custom_kernel_").partition("__")[0]
    alt = (
        f"{len(trace.steps)} recorded steps of {name}, {where}: for each, the line, the lanes that run "
        "it, their variables and the memory they touch."
    )
    return Figure("stepper", title or f"{name}: {where}", data, alt)


def _step(step: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {key: step[key] for key in ("file", "line", "mask", "barrier") if key in step}
    if variables := step.get("variables"):
        made["variables"] = {n: None if v is None else packed.lanes(v) for n, v in variables.items()}
    shared = [a for a in step.get("accesses", ()) if a["space"] != "thread"]
    if shared:
        keys = ("kind", "memory", "space", "bytes")
        made["accesses"] = [{k: a[k] for k in keys} | {"offset": packed.lanes(a["offset"])} for a in shared]
    return made


def explorer(
    kernel_call: Callable[[], object],
    memories: Mapping[str, tuple[int, int]],
    *,
    threadgroups: Sequence[tuple[int, int, int]],
    title: str,
) -> Figure:
    """Who reads and writes what: every lane of some threadgroups, followed one SIMD-group at a time.

    Args:
        kernel_call: calls the kernel, as for ``anymetal.trace``.
        memories: the buffers to show, with their shapes as rows and columns of elements.
        threadgroups: the positions of those to follow.
        title: a line over the figure.

    Raises:
        ValueError: a memory is never touched, or its elements do not fill the shape.
    """
    if not threadgroups:
        raise ValueError("threadgroups is empty; it must name at least one position.")
    touched: dict[str, dict[str, list[list[list[int]]]]] = {}
    kinds: dict[str, set[str]] = {name: set() for name in memories}
    trace = anymetal.trace(kernel_call, threadgroup=threadgroups[0])
    per_group = -(-_product(trace.threads_per_threadgroup) // LANES)
    groups = tuple(-(-g // t) for g, t in zip(trace.grid, trace.threads_per_threadgroup, strict=True))
    for position in threadgroups:
        number = position[0] + groups[0] * (position[1] + groups[1] * position[2])
        for simdgroup in range(per_group):
            trace = anymetal.trace(kernel_call, threadgroup=position, simdgroup=simdgroup)
            touched[f"{number},{simdgroup}"] = _touched(trace, memories, kinds)
    for name, kind in kinds.items():
        if not kind:
            raise ValueError(f"memories names {name!r}, which no followed SIMD-group touches.")
    verbs = {frozenset({"read"}): "reads", frozenset({"write"}): "writes"}
    data = {
        "threadgroups": list(groups),
        "simdgroups": per_group,
        "memories": [
            {"name": name, "shape": list(shape), "kind": verbs.get(frozenset(kinds[name]), "touches")}
            for name, shape in memories.items()
        ],
        "touched": touched,
    }
    alt = (
        f"For each lane of {len(threadgroups)} of {_product(groups)} threadgroups, the elements of "
        f"{', '.join(memories)} that it touches, drawn in the matrices. Your lane is dark, others of its "
        "SIMD-group are light."
    )
    return Figure("explorer", title, data, alt)


def tiles(
    kernel_call: Callable[[], object],
    memories: Mapping[str, tuple[int, int]],
    *,
    threadgroup: tuple[int, int, int] = (0, 0, 0),
    title: str,
) -> Figure:
    """A threadgroup's walk over its matrices, from barrier to barrier: every SIMD-group of it is followed.

    Args:
        kernel_call, memories, title: as for ``explorer``.
        threadgroup: the position of the one to follow.

    Raises:
        ValueError: its SIMD-groups come to different numbers of barriers.
    """
    trace = anymetal.trace(kernel_call, threadgroup=threadgroup)
    count = -(-_product(trace.threads_per_threadgroup) // LANES)
    followed = [
        anymetal.trace(kernel_call, threadgroup=threadgroup, simdgroup=simdgroup)
        for simdgroup in range(count)
    ]
    phases = [_phases(one) for one in followed]
    if len({len(each) for each in phases}) != 1:
        raise ValueError("the SIMD-groups of this threadgroup do not all come to the same barriers.")
    made = []
    for number, together in enumerate(zip(*phases, strict=True)):
        phase: dict[str, Any] = {"reads": {}, "writes": {}, "waits": number + 1 < len(phases[0])}
        accesses = [a for steps in together for step in steps for a in step.accesses]
        for kind, key in (("read", "reads"), ("write", "writes")):
            for name in memories:
                found = {
                    element
                    for a in accesses
                    if a.memory == name and a.kind == kind
                    for first in a.index
                    if first is not None
                    for element in range(first, first + a.bytes // a.element)
                }
                if found:
                    phase[key][name] = _runs(sorted(found))
        phase["shared"] = [
            sum(
                a.bytes * sum(o is not None for o in a.offset)
                for a in accesses
                if a.space == "threadgroup" and a.kind == kind
            )
            for kind in ("read", "write")
        ]
        made.append(phase)
    data = {"memories": [{"name": n, "shape": list(shape)} for n, shape in memories.items()], "phases": made}
    alt = (
        f"{len(made)} phases of threadgroup {threadgroup}, each up to a barrier: what it reads of "
        f"{', '.join(memories)} and what it stores."
    )
    return Figure("tiles", title, data, alt)


def _phases(trace: Trace) -> list[list[Step]]:
    """The steps of one SIMD-group from barrier to barrier."""
    phases: list[list[Step]] = [[]]
    for step in trace.steps:
        phases[-1].append(step)
        if step.barrier:
            phases.append([])
    return phases


def _product(numbers: Sequence[int]) -> int:
    made = 1
    for number in numbers:
        made *= number
    return made


def _touched(
    trace: Trace, memories: Mapping[str, tuple[int, int]], kinds: dict[str, set[str]]
) -> dict[str, list[list[list[int]]]]:
    """By memory and lane, the elements as runs: first, length, step."""
    elements: dict[str, list[set[int]]] = {name: [set() for _ in range(LANES)] for name in memories}
    for step in trace.steps:
        for access in step.accesses:
            if access.memory not in memories:
                continue
            kinds[access.memory].add(access.kind)
            for lane, first in enumerate(access.index):
                if first is not None:
                    elements[access.memory][lane].update(range(first, first + access.bytes // access.element))
    return {name: [_runs(sorted(lane)) for lane in lanes] for name, lanes in elements.items() if any(lanes)}


def _runs(elements: list[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    at = 0
    while at < len(elements):
        step = elements[at + 1] - elements[at] if at + 1 < len(elements) else 1
        length = 1
        while at + length < len(elements) and elements[at + length] == elements[at] + length * step:
            length += 1
        runs.append([elements[at], length, step])
        at += length
    return runs
