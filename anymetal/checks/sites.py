"""The places of a kernel that are watched: each instruction that touches memory or meets other threads.

A site knows where it stands in the learner's text, which memory its pointer leads to, and what it does there.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass, field

from anymetal.frontend.clang import HERE
from anymetal.simt.ir import Constant, Function, GlobalRef, Instruction, Local, Module, Operand

DEVICE, CONSTANT, THREADGROUP, PRIVATE = range(4)
LOAD, STORE, ATOMIC = range(3)
OWN = str(HERE)  # where Metal's own library is


@dataclass(frozen=True)
class Place:
    """A position in a file as the learner wrote it; lines and columns count from 1, 0 is "not known"."""

    file: str = ""
    line: int = 0
    column: int = 0


@dataclass(frozen=True)
class Root:
    """Memory that pointers lead to.

    kind: "buffer", "threadgroup", "threadgroup-argument", "private" or "table". name: a variable's name, or
    the index of a buffer. space: the address space's number in the monitor.
    """

    kind: str
    name: str
    space: int


@dataclass(frozen=True)
class Pattern:
    """What every span of a site counts. unique_bytes: touched, each once. conflicts: further rounds of the
    banks."""

    unique_bytes: int
    conflicts: int


@dataclass(frozen=True)
class Extent:
    """How a kernel uses a root. grain: bytes of the smallest access. written: stored to, ever."""

    grain: int
    written: bool


@dataclass
class Site:
    """One watched instruction. ``root`` is None where several memories are possible: found by the address
    then."""

    place: Place
    kind: int
    space: int
    size: int
    align: int
    root: Root | None
    scalar: int = 0  # bytes of one element, for the index that a finding shows
    atomic: bool = False
    parts: int = 0  # scalars of one lane, if they are all of one size and without gaps
    candidates: frozenset[Root] = frozenset()  # the memories that are possible, where there are several
    span: Pattern | None = None  # what is counted where span.c lets the access through


@dataclass
class Sites:
    """All sites of one program, numbered as they are found; an instruction is one site in both copies."""

    places: Places
    roots: dict[str, frozenset[Root]]
    extents: dict[Root, Extent] = field(default_factory=dict)
    order: list[Root] = field(default_factory=list)
    found: list[Site] = field(default_factory=list)
    numbers: dict[int, int] = field(default_factory=dict)

    def number(
        self, instruction: Instruction, kind: int, pointer: Operand | None, size: int, align: int, scalar: int
    ) -> int:
        key = id(instruction)
        if key not in self.numbers:
            root = self.root(pointer) if pointer is not None else None
            candidates = self.candidates(pointer) if pointer is not None and root is None else frozenset()
            for one in [root] if root is not None else sorted(candidates, key=repr):
                if one not in self.order:
                    self.order.append(one)
            space = root.space if root else space_of(pointer) if pointer is not None else DEVICE
            self.numbers[key] = len(self.found)
            place, atomic = self.places.of(instruction), bool(instruction.attributes.get("atomic"))
            self.found.append(
                Site(place, kind, space, size, align, root, scalar, atomic, candidates=candidates)
            )
        return self.numbers[key]

    def extent(self, root: Root) -> Extent:
        """How the kernel uses a root; nothing is known of one that no access names."""
        return self.extents.get(root, Extent(1, True))

    def root(self, pointer: Operand) -> Root | None:
        found = self.candidates(pointer)
        return next(iter(found)) if len(found) == 1 else None

    def candidates(self, pointer: Operand) -> frozenset[Root]:
        """The memories that a pointer may lead to; all of its space where nothing is known of it."""
        if isinstance(pointer, GlobalRef):
            return frozenset({global_root(pointer)})
        found = self.roots.get(pointer.name, frozenset()) if isinstance(pointer, Local) else frozenset()
        if found:
            return found
        everything = frozenset(r for roots in self.roots.values() for r in roots)
        return frozenset(r for r in everything if r.space == space_of(pointer))


def space_of(pointer: Operand) -> int:
    """The monitor's number of a pointer's address space."""
    return {0: PRIVATE, 1: DEVICE, 2: CONSTANT, 3: THREADGROUP}[pointer.type.address_space]


def global_root(reference: GlobalRef) -> Root:
    space = reference.type.address_space
    if space == 3:
        return Root("threadgroup", reference.name, THREADGROUP)
    return Root("table", reference.name, CONSTANT)


def find_roots(function: Function) -> dict[str, frozenset[Root]]:
    """The memories to which each pointer of a kernel may lead: none where nothing is known of it."""
    found: dict[str, frozenset[Root]] = {}
    changed = True
    while changed:
        changed = False
        for _, instruction in function.instructions():
            if instruction.name is None or instruction.type.kind != "ptr":
                continue
            new = _roots(instruction, found)
            if new != found.get(instruction.name, frozenset()):
                found[instruction.name] = new
                changed = True
    return found


_BUFFERS = {
    "__simt_device_buffer": ("buffer", DEVICE),
    "__simt_constant_buffer": ("buffer", CONSTANT),
    "__simt_threadgroup_buffer": ("threadgroup-argument", THREADGROUP),
}


def _roots(instruction: Instruction, found: dict[str, frozenset[Root]]) -> frozenset[Root]:
    """The roots that an instruction's operands give it, as far as theirs are known."""
    if instruction.op == "call" and instruction.callee in _BUFFERS:
        kind, space = _BUFFERS[instruction.callee]
        index = instruction.operands[0]
        assert isinstance(index, Constant)
        return frozenset({Root(kind, str(index.value), space)})
    if instruction.op == "alloca":
        assert instruction.name is not None
        return frozenset({Root("private", instruction.name, PRIVATE)})
    if instruction.op in ("getelementptr", "addrspacecast", "bitcast", "freeze"):
        sources = instruction.operands[:1]
    elif instruction.op == "phi":
        sources = instruction.operands
    elif instruction.op == "select":
        sources = instruction.operands[1:]
    else:
        sources = []
    roots: set[Root] = set()
    for source in sources:
        if isinstance(source, GlobalRef):
            roots.add(global_root(source))
        elif isinstance(source, Local):
            roots |= found.get(source.name, frozenset())
    return frozenset(roots)


class Places:
    """Where instructions stand in the learner's text: the innermost frame of their place that lies in it; or
    in a file that it includes, where it does nothing but that."""

    def __init__(self, module: Module, files: frozenset[str]) -> None:
        self.metadata = module.metadata
        self.files = files
        self._seen: dict[int, Place] = {}

    def of(self, instruction: Instruction) -> Place:
        return self.at(instruction.debug)

    def at(self, number: int | None) -> Place:
        if number is None:
            return Place()
        if number not in self._seen:
            self._seen[number] = self._find(number)
        return self._seen[number]

    def of_loop(self, number: int | None) -> Place | None:
        """Where a loop starts, by its metadata: a list of itself, its start, its end and more."""
        for entry in re.findall(r"!(\d+)", self.metadata.get(number, "") if number is not None else ""):
            if self.metadata.get(int(entry), "").startswith("!DILocation"):
                found = self.at(int(entry))
                return found if found.line else None
        return None

    def _find(self, number: int) -> Place:
        current: int | None = number
        included = Place()
        while current is not None:
            text = self.metadata.get(current, "")
            scope = reference(text, "scope")
            file = self._file(scope) if scope is not None else ""
            place = Place(file, _integer(text, "line"), _integer(text, "column"))
            if place.line and file in self.files:
                return place
            if place.line and not included.line and is_included(file):
                included = place
            current = reference(text, "inlinedAt")
        return included

    def _file(self, scope: int) -> str:
        while True:
            text = self.metadata.get(scope, "")
            file = reference(text, "file")
            if file is not None:
                return file_name(self.metadata.get(file, ""), self.files)
            above = reference(text, "scope")
            if above is None:
                return ""
            scope = above


def file_name(described: str, files: frozenset[str]) -> str:
    """What a ``DIFile`` names: one of the learner's ``files`` as it is, another one by its whole path."""
    name, folder = (_text(described, key) for key in ("filename", "directory"))
    return name if name in files or name.startswith("<") or not folder else os.path.join(folder, name)


def is_included(file: str) -> bool:
    """Whether it is a file that the learner's text includes, and none of Metal's library."""
    return os.path.isabs(file) and not file.startswith(OWN)


def _text(text: str, name: str) -> str:
    match = re.search(rf'\b{name}: "([^"]*)"', text)
    return match[1] if match else ""


def reference(text: str, name: str) -> int | None:
    match = re.search(rf"\b{name}: !(\d+)", text)
    return int(match[1]) if match else None


def _integer(text: str, name: str) -> int:
    match = re.search(rf"\b{name}: (\d+)", text)
    return int(match[1]) if match else 0
