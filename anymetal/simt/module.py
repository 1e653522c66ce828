"""A whole module for the JIT: a kernel's SIMD-group functions, the loop around them, and its tables."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from . import cfg, divergence, driver, private
from .ir import Function, Module
from .layouts import Layout
from .monitor import Monitor
from .prepare import prepare
from .rematerialise import rematerialise
from .scalarise import scalarise
from .simdgroup import SimdGroup, Widener, split_at_barriers

_ATTRIBUTES = 'attributes #0 = { nounwind "prefer-vector-width"="512" "min-legal-vector-width"="512" }'


@dataclass(frozen=True)
class Widened:
    """A module ready for the JIT.

    ir: text, without target triple and data layout. entry: ``void @entry(ptr launch, ptr scratch)``.
    frame_bytes: what one SIMD-group keeps between barriers. threadgroup_bytes: static threadgroup memory.
    buffers: indices of those it uses.
    """

    ir: str
    entry: str
    frame_bytes: int
    threadgroup_bytes: int
    buffers: frozenset[int]


def widen(
    ir: str,
    entry: str,
    layouts: tuple[Layout, ...],
    watch: Callable[[Module, Function], Monitor] | None = None,
) -> Widened:
    """Widen the kernel ``entry`` of a module for one launch's ``layouts`` (see ``layouts_for``).

    ``watch`` is given the kernel before it is widened and returns the monitor that writes its checked form.
    Raises ``Unsupported``, which names the construct, for what cannot be widened.
    """
    module, function = prepare(ir, entry)
    scalarise(function)
    split_at_barriers(function)
    rematerialise(function)
    graph = cfg.build(function)
    memory = private.find(function)
    offsets, threadgroup_bytes = threadgroup_memory(module)
    monitor = watch(module, function) if watch else None
    groups: list[SimdGroup] = []
    for number, layout in enumerate(layouts):
        shapes = divergence.analyse(function, graph, layout, set(memory.regions))
        name = f"simdgroup.{number}"
        groups.append(
            Widener(module, function, graph, shapes, memory, layout, name, offsets, monitor).write()
        )
    frame = max(_padded(g.frame) for g in groups)
    suspends = any(g.suspends for g in groups)
    name = entry if re.fullmatch(r"[\w.$]+", entry) else f'"{entry}"'
    ragged = "simdgroup.1" if len(groups) > 1 else None
    if monitor is not None:
        code = [monitor.driver(name, "simdgroup.0", ragged, frame)]
    else:
        code = [driver.driver(name, "simdgroup.0", ragged, frame, suspends)]
    code += [g.text for g in groups]
    declared = {**driver.DECLARED, **{k: v for g in groups for k, v in g.declared.items()}}
    constants = [_constant(module, name) for name in sorted(set().union(*(g.constants for g in groups)))]
    text = "\n\n".join([*constants, *code, *declared.values(), _ATTRIBUTES, "!0 = !{}"])
    buffers = frozenset().union(*(g.buffers for g in groups))
    return Widened(text, entry, frame, threadgroup_bytes, buffers)


def _padded(size: int) -> int:
    return -(-size // 128) * 128


def threadgroup_memory(module: Module) -> tuple[dict[str, int], int]:
    """Where each threadgroup variable lies, and how much memory they need."""
    offsets: dict[str, int] = {}
    size = 0
    for name, variable in module.globals.items():
        if variable.address_space != 3:
            continue
        align = max(variable.align, 64 if variable.type.size >= 64 else 16)
        size = -(-size // align) * align
        offsets[name] = size
        size += variable.type.size
    return offsets, size


def _constant(module: Module, name: str) -> str:
    """A table that the kernel reads, as the front end wrote it, in the CPU's one address space."""
    text = re.sub(r"addrspace\(\d+\)\s*", "", module.globals[name].text)
    text = re.sub(r", (comdat|section \"[^\"]*\")|, ![\w.]+ !\d+", "", text)
    text = re.sub(
        r"\b(dso_local|local_unnamed_addr|unnamed_addr|linkonce_odr|external|weak_odr)\s+", "", text
    )
    return f'@"{name}" = ' + text
