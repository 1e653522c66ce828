"""A kernel compiled to be watched: the same IR as in fast mode, with the monitor's calls in it."""

from __future__ import annotations

import pickle
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import llvmlite.binding as llvm

from anymetal.frontend import Kernel
from anymetal.runtime import build, jit, native
from anymetal.runtime import cache as disk
from anymetal.simt import Layout, Unsupported, cfg, private, widen
from anymetal.simt.ir import Function, Module
from anymetal.simt.module import threadgroup_memory

from .extents import find_extents
from .instrument import Instrument
from .kept import kept
from .operations import Operations, operations
from .sites import Place, Places, Root, Site, Sites, find_roots

HERE = Path(__file__).parent
FILES = frozenset({"source", "header"})
Made = TypeVar("Made", bound=Instrument)


@dataclass(frozen=True)
class Memory:
    """What is known of a root before a launch. place: its offset, for threadgroup variables and private
    arrays."""

    root: Root
    grain: int
    written: bool
    place: int
    size: int
    atomic: bool = False


@dataclass(frozen=True)
class Block:
    """What a block does each time it runs, by place in the text."""

    operations: tuple[Operations, ...]


@dataclass(frozen=True)
class Loop:
    """site: where it is watched. block: its header. place: where its text starts."""

    site: int
    block: int
    place: Place


@dataclass(frozen=True)
class CheckedProgram:
    """Machine code that calls the monitor, and what its numbers mean. ``frame_bytes``: per SIMD-group.
    ``loops``: by their sites, each with the loops around it, outermost first."""

    loaded: jit.Loaded
    kernel: Kernel
    sites: tuple[Site, ...]
    memories: tuple[Memory, ...]
    blocks: tuple[Block, ...]
    frame_bytes: int
    threadgroup_bytes: int
    loops: dict[int, tuple[Loop, ...]]


_lock = threading.Lock()
_programs: dict[tuple[object, ...], CheckedProgram] = {}
_KEEP = 64


def checked_program(source: build.Source, kernel: str, layouts: tuple[Layout, ...]) -> CheckedProgram:
    """``kernel`` of ``source``, compiled to be watched. Raises ``CompileError`` as fast mode does."""
    key = (source.identity(), kernel, layouts)
    with _lock:
        if key not in _programs:
            if len(_programs) >= _KEEP:
                _programs.clear()
            _programs[key] = _from_disk_or_source(source, kernel, layouts)
        return _programs[key]


def _from_disk_or_source(source: build.Source, kernel: str, layouts: tuple[Layout, ...]) -> CheckedProgram:
    key = disk.key("checked", source.identity(), kernel, layouts, jit.host(), _version())
    stored = disk.load(key)
    if stored is not None:
        try:
            # The folder is trusted with machine code, so with a pickle too.
            description, code = pickle.loads(stored[1])
            return _load(description, code, {})
        except (pickle.UnpicklingError, RuntimeError, LookupError, TypeError, ValueError, EOFError):
            disk.discard(key)  # whole, yet not what this process can use: build it again
    description, code, _ = _compile(source, kernel, layouts, Instrument)
    made = _load(description, code, {})
    disk.store(key, {}, pickle.dumps((description, code)))
    return made


@cache
def _version() -> str:
    """A hash of all that makes the watching, which is no part of fast mode."""
    return disk.hash_of(path for path in HERE.iterdir() if path.suffix in (".py", ".c", ".h"))


def _load(description: Mapping[str, Any], code: bytes, functions: Mapping[str, int]) -> CheckedProgram:
    rest = dict(description)
    return CheckedProgram(loaded=jit.load(code, rest.pop("entry"), {**_monitor(), **functions}), **rest)


def compile_watched(
    source: build.Source,
    kernel: str,
    layouts: tuple[Layout, ...],
    make: Callable[[Sites], Made],
    *,
    variables: bool = False,
    functions: Mapping[str, int] | None = None,
) -> tuple[CheckedProgram, Made]:
    """``kernel`` watched by the instrument that ``make`` makes of its sites, and that instrument.

    variables: follow the text's variables too. functions: what the instrument's code calls besides the
    monitor, by name and address.
    """
    description, code, instrument = _compile(source, kernel, layouts, make, variables=variables)
    return _load(description, code, functions or {}), instrument


def _compile(
    source: build.Source,
    kernel: str,
    layouts: tuple[Layout, ...],
    make: Callable[[Sites], Made],
    *,
    variables: bool = False,
) -> tuple[dict[str, Any], bytes, Made]:
    """All of a `CheckedProgram` but its `loaded`, by name, with the name of its "entry"; its machine code."""
    made = build.module(source, line_tables=True, variables=variables)
    one = build.kernel_named(made, kernel)
    files = FILES | frozenset(source.files)
    ir = made.ir if variables else _with_kept(source, one.entry, files) or made.ir
    seen: list[tuple[Made, Module, Function]] = []

    def watch(module: Module, function: Function) -> Made:
        sites = Sites(Places(module, files), find_roots(function))
        sites.extents = find_extents(function, sites)
        instrument = make(sites)
        seen.append((instrument, module, function))
        return instrument

    try:
        wide = widen(ir, one.entry, layouts, watch)
    except Unsupported as e:
        raise build.unsupported(e) from e
    (instrument, module, function) = seen[0]
    places = instrument.sites.places
    description = {
        "entry": wide.entry,
        "kernel": one,
        "sites": tuple(instrument.sites.found),
        "memories": _memories(instrument.sites, module, function),
        "blocks": tuple(Block(operations(b, places)) for b in instrument.blocks),
        "frame_bytes": wide.frame_bytes,
        "threadgroup_bytes": wide.threadgroup_bytes,
        "loops": _loops(instrument, function),
    }
    return description, jit.compile_object(_with_spans(wide.ir)), instrument


def _with_kept(source: build.Source, entry: str, files: frozenset[str]) -> str | None:
    """The kernel with those of its own variables in memory that must be watched, if there are any."""
    plain = build.module(source, line_tables=True, variables=True, optimised=False)
    try:
        return kept(plain.ir, entry, files)
    except Unsupported:
        return None  # what cannot stay in memory is not watched


def _memories(sites: Sites, module: Module, function: Function) -> tuple[Memory, ...]:
    """Every root of the kernel, in the monitor's order."""
    offsets, _ = threadgroup_memory(module)
    memory = private.find(function)
    allocas = {
        i.name: i.attributes["allocated"].size
        for _, i in function.instructions()
        if i.op == "alloca" and i.name
    }
    found = []
    for root in sites.order:
        extent = sites.extent(root)
        place, size = 0, 0
        if root.kind == "threadgroup":
            place, size = offsets[root.name], module.globals[root.name].type.size
        elif root.kind == "table":
            size = module.globals[root.name].type.size
        elif root.kind == "private":
            place, size = memory.offsets[root.name], allocas[root.name]
        atomic = any(s.atomic and (s.root == root or root in s.candidates) for s in sites.found)
        found.append(Memory(root, extent.grain, extent.written, place, size, atomic))
    return tuple(found)


def _loops(instrument: Instrument, function: Function) -> dict[int, tuple[Loop, ...]]:
    """The loops around each loop and itself. clang notes at the jump back where the text of a loop starts."""
    starts: dict[str, int] = {}
    for block in function.blocks.values():
        for target in block.terminator.attributes.get("targets", []):
            if "loop" in block.terminator.attributes:
                starts[target] = block.terminator.attributes["loop"]
    blocks = {block.name: number for number, block in enumerate(instrument.blocks)}
    places = instrument.sites.places
    found: dict[int, tuple[Loop, ...]] = {}
    for loop in cfg.build(function).loops:
        chain: list[Loop] = []
        around: cfg.Loop | None = loop
        while around is not None:
            header = around.header
            if header in instrument.loops and header in blocks:
                site = instrument.loops[header]
                place = places.of_loop(starts.get(header))
                chain.insert(0, Loop(site, blocks[header], place or instrument.sites.found[site].place))
            around = around.parent
        if chain:
            found[chain[-1].site] = tuple(chain)
    return found


@cache
def _monitor() -> dict[str, int]:
    """The monitor's functions, compiled for this CPU, by name."""
    names = [
        "monitor_access",
        "monitor_uniform",
        "monitor_matrix",
        "monitor_shuffle",
        "monitor_simdgroup_barrier",
        "monitor_barrier",
        "monitor_endless",
        "monitor_run",
    ]
    return load_functions("monitor.c", names)


def load_functions(file: str, names: Sequence[str]) -> dict[str, int]:
    """The addresses of functions of one of the C files beside this one, compiled for this CPU."""
    return native.load_functions(HERE / file, names)


@cache
def _spans() -> str:
    """The IR of ``span.c``."""
    return native.ir(HERE / "span.c")


def _with_spans(ir: str) -> str:
    """A kernel's module with the functions of ``span.c`` in it, to be inlined."""
    kernel = llvm.parse_assembly(ir)
    kernel.link_in(llvm.parse_assembly(_spans()))
    for function in kernel.functions:
        if function.name.startswith("span_") and not function.is_declaration:
            function.linkage = "internal"
    return str(kernel)
