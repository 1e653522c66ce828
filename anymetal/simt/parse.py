"""Textual LLVM IR to the objects of ``ir``.

Only what clang emits for a kernel, after inlining, is understood; anything else is named in an
``Unsupported`` error rather than guessed at.
"""

from __future__ import annotations

import re

from .instructions import read_instruction
from .ir import Block, Constant, Function, Global, Module, Type, Unsupported
from .reader import Line
from .variables import keep_defined, read_variable

_LABEL_LINE = re.compile(r'^("[^"]*"|[-\w.$]+):')
_GLOBAL_LINE = re.compile(r'^@("[^"]*"|[-\w.$]+) = (.*)$')
_DEFINE_LINE = re.compile(r'^define .*?@("[^"]*"|[-\w.$]+)\((.*)$')


def parse_module(text: str) -> Module:
    """Parse a module; functions with parameters are left out (they were inlined)."""
    structs = _structs(text)
    module = Module({}, {})
    lines = iter(text.splitlines())
    for raw in lines:
        if match := _GLOBAL_LINE.match(raw):
            variable = _global(match[1].strip('"'), match[2], structs)
            if variable:
                module.globals[variable.name] = variable
        elif match := _DEFINE_LINE.match(raw):
            body_lines = []
            for line in lines:
                if line.startswith("}"):
                    break
                body_lines.append(line)
            if match[2].startswith(")"):
                name = match[1].strip('"')
                module.functions[name] = _function(name, body_lines, structs)
        elif match := re.match(r"^!(\d+) = (.*)$", raw):
            module.metadata[int(match[1])] = match[2]
    return module


def _structs(text: str) -> dict[str, Type]:
    """The named structs, those inside others first, whatever the order of the text."""
    bodies = dict(re.findall(r"^(%\S.*?) = type (?!opaque)(.*)$", text, re.MULTILINE))
    structs: dict[str, Type] = {}

    def add(name: str) -> None:
        if name in bodies and name not in structs:
            for inner in re.findall(r'%(?:"[^"]*"|[-\w.$]+)', bodies[name]):
                add(inner)
            structs[name] = Line(bodies[name], structs).type()

    for name in bodies:
        add(name)
    return structs


def _global(name: str, text: str, structs: dict[str, Type]) -> Global | None:
    """``[internal] [unnamed_addr] [addrspace(n)] global|constant T initialiser, align n``."""
    if name.startswith("llvm."):
        return None
    line = Line(re.sub(r", (section|comdat|!).*?(?=, align|$)", "", text), structs)
    space = 0
    while not line.accept("global", "constant"):
        if line.accept("addrspace"):
            line.expect("(")
            space = int(line.next())
            line.expect(")")
        elif not line.next():
            return None
    type_ = line.type()
    initialiser = None
    if line.at < len(line.tokens) and line.peek() != ",":
        value = line.value(type_)
        initialiser = value if isinstance(value, Constant) else None
    align = 1
    while line.at < len(line.tokens):
        if line.next() == "align":
            align = int(line.next())
    return Global(name, type_, space, initialiser, text, max(align, type_.align))


def _function(name: str, lines: list[str], structs: dict[str, Type]) -> Function:
    blocks: dict[str, Block] = {}
    current = Block("0")
    joined: list[str] = []
    for raw in lines:
        # A switch spans lines; everything else is one line each.
        if joined or raw.rstrip().endswith("["):
            joined.append(raw)
            if raw.strip().startswith("]"):
                raise Unsupported("a switch that was not lowered")
            continue
        stripped = raw.split(" ; ")[0].rstrip() if ";" in raw else raw.rstrip()
        if not stripped or stripped.startswith(";"):
            continue
        if stripped.lstrip().startswith("#dbg"):
            variable = read_variable(stripped.strip(), structs)
            if variable is not None:
                blocks.setdefault(current.name, current).instructions.append(variable)
            continue
        if (match := _LABEL_LINE.match(stripped)) and not stripped.startswith(" "):
            current = Block(match[1].strip('"'))
            blocks[current.name] = current
            continue
        if not blocks:
            blocks[current.name] = current
        current.instructions.append(read_instruction(Line(stripped, structs)))
    function = Function(name, blocks)
    keep_defined(function)
    return function
