"""Finding kernels, their parameters and their instantiations; writing the entry functions that call them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from anymetal.frontend.source import Attribute, Refused, Source, constant_integer
from anymetal.frontend.tokens import WORD

SPACES = ("device", "constant", "threadgroup")

# The thread attributes that library/entry.h gives values to.
THREAD_ATTRIBUTES = frozenset(
    """
    thread_position_in_grid thread_position_in_threadgroup thread_index_in_threadgroup
    thread_index_in_simdgroup thread_index_in_quadgroup threadgroup_position_in_grid threads_per_grid
    threads_per_threadgroup dispatch_threads_per_threadgroup threadgroups_per_grid
    simdgroup_index_in_threadgroup quadgroup_index_in_threadgroup simdgroups_per_threadgroup
    dispatch_simdgroups_per_threadgroup quadgroups_per_threadgroup dispatch_quadgroups_per_threadgroup
    threads_per_simdgroup thread_execution_width grid_size grid_origin
    """.split()
)


# The scalar types by the codes of library/entry.h.
ELEMENTS = (None, *"bool i8 u8 i16 u16 i32 u32 i64 u64 f16 bf16 f32".split())
DESCRIBED = "described_"
_TABLE = re.compile(rf"^@{DESCRIBED}(\w+) = [^\n]*?\[(i32 [^\]]*)\][^\n]*\n", re.MULTILINE)


@dataclass(frozen=True)
class Parameter:
    """A kernel's parameter. ``index`` is the n of ``[[buffer(n)]]`` or ``[[threadgroup(n)]]``; ``type`` its
    type as written, without address space and const; ``attribute`` the name of a thread attribute.

    Of what a buffer holds: ``element`` is the scalar type (i8 u8 ... i64 u64 f16 bf16 f32 bool; None for a
    struct) of a scalar, a vector or an atomic; ``size`` and ``align`` are of the whole, in bytes."""

    name: str
    kind: Literal["buffer", "threadgroup", "attribute"]
    index: int | None
    type: str
    attribute: str | None
    address_space: Literal["device", "constant", "threadgroup"] | None
    reference: bool
    const: bool
    element: str | None = None
    size: int = 0
    align: int = 0


@dataclass(frozen=True)
class Kernel:
    """A kernel that can be launched: ``entry`` is its function in the IR."""

    name: str
    entry: str
    parameters: tuple[Parameter, ...]
    max_threads: int | None


@dataclass(frozen=True)
class Definition:
    """A kernel function as the source defines it; a ``template`` is no kernel before it has arguments."""

    name: str
    qualified: str
    host_name: str | None
    template: bool
    parameters: tuple[Parameter, ...]
    max_threads: int | None
    at: int
    body: tuple[int, int]


@dataclass(frozen=True)
class Instantiation:
    """``template [[host_name("name")]] [[kernel]] decltype(f<T>) f<T>;``: ``expression`` is ``f<T>``."""

    name: str
    expression: str
    function: str
    span: tuple[int, int]


def _string(argument: str | None) -> str | None:
    """The text of adjacent string literals."""
    if argument is None:
        return None
    return "".join(re.findall(r'"((?:[^"\\]|\\.)*)"', argument))


def _fail(source: Source, token: int, message: str) -> Refused:
    return Refused(source.tokens[token].start, message)


def _parameters(source: Source, first: int, end: int) -> tuple[Parameter, ...]:
    parsed = []
    for a, b in source.split(first, end):
        entries: list[Attribute] = []
        words: list[int] = []
        i = a
        while i < b:
            if i in source.attributes:
                entries += source.attributes[i]
                i = source.partner[i]
            elif source.word(i) == "=":
                break
            else:
                words.append(i)
            i += 1
        if words:
            parsed.append((a, words, entries))
    if len(parsed) == 1 and [source.word(i) for i in parsed[0][1]] == ["void"]:
        return ()

    taken: dict[str, set[int]] = {"buffer": set(), "threadgroup": set()}
    for _, _, entries in parsed:
        for entry in entries:
            if entry.name in taken and (index := constant_integer(entry.argument)) is not None:
                taken[entry.name].add(index)
    return tuple(_parameter(source, at, words, entries, taken) for at, words, entries in parsed)


def _parameter(
    source: Source, at: int, words: Sequence[int], entries: Sequence[Attribute], taken: dict[str, set[int]]
) -> Parameter:
    texts = [source.word(i) for i in words]
    array = "[" in texts
    declared = texts[: texts.index("[")] if array else texts
    name_at = max((i for i, t in enumerate(declared) if source.kind(words[i]) == WORD), default=-1)
    name = declared[name_at] if name_at > 0 else ""
    if not name:
        raise _fail(source, at, f"a kernel's parameter needs a type and a name: {' '.join(texts)}")
    space: Literal["device", "constant", "threadgroup"] | None = None
    for candidate in ("device", "constant", "threadgroup"):
        if candidate in declared:
            space = candidate
    pointer, reference = "*" in declared or array, "&" in declared
    rest = [t for i, t in enumerate(declared) if i != name_at and t not in ("*", "&", "thread", *SPACES)]
    const = "const" in rest or space == "constant"
    spelled = _spell([t for t in rest if t not in ("const", "volatile", "restrict", "__restrict")])

    named = {entry.name: entry for entry in entries}
    thread = next((n for n in named if n in THREAD_ATTRIBUTES), None)
    if pointer or reference:
        if space is None:
            raise _fail(
                source,
                at,
                f"kernel parameter '{name}': pointer or reference needs an address space "
                "(device, constant or threadgroup)",
            )
        kind: Literal["buffer", "threadgroup"] = "threadgroup" if space == "threadgroup" else "buffer"
        index = constant_integer(named[kind].argument) if kind in named else None
        if index is None:
            index = next(i for i in range(10_000) if i not in taken[kind])
            taken[kind].add(index)
        return Parameter(name, kind, index, spelled, None, space, reference, const)
    if thread is not None:
        return Parameter(name, "attribute", None, spelled, thread, None, False, const)
    if named:
        raise _fail(
            source,
            at,
            f"kernel parameter '{name}': attribute [[{next(iter(named))}]] is not supported by anymetal",
        )
    raise _fail(
        source,
        at,
        f"kernel parameter '{name}': invalid type '{spelled}': a kernel's parameter is a pointer or "
        "reference to device, constant or threadgroup memory, or has a thread attribute such as "
        "[[thread_position_in_grid]]",
    )


def _spell(texts: Sequence[str]) -> str:
    """Tokens as one would write them: words apart, punctuation close."""
    return re.sub(r"\s*(::|<|>)\s*", r"\1", " ".join(texts)).replace(" ,", ",")


def _namespaces(source: Source) -> list[tuple[int, int, str]]:
    """Each namespace's braces and name; an unnamed one has the name ''."""
    found = []
    for i, token in enumerate(source.tokens):
        if token.text == "namespace" and source.word(i - 1) != "using":
            brace = i + 1
            while source.word(brace) not in ("{", ";", "=", ""):
                brace += 1
            if source.word(brace) == "{":
                name = "".join(source.word(k) for k in range(i + 1, brace))
                found.append((brace, source.partner.get(brace, len(source.tokens)), name))
    return found


def markers(source: Source) -> list[int]:
    """The tokens that say "kernel": the keyword, or the first bracket of a ``[[kernel]]``."""
    inside = {k for i in source.attributes for k in range(i, source.partner[i] + 1)}
    words = [i for i, token in enumerate(source.tokens) if token.text == "kernel" and i not in inside]
    return sorted(
        words + [i for i, entries in source.attributes.items() if any(e.name == "kernel" for e in entries)]
    )


def find(source: Source) -> tuple[list[Definition], list[Instantiation]]:
    """Every kernel that the source defines and every explicit instantiation of one."""
    definitions: list[Definition] = []
    instantiations: list[Instantiation] = []
    namespaces = _namespaces(source)
    for marker in markers(source):
        start = marker
        while start > 0 and source.word(start - 1) not in (";", "{", "}"):
            start -= 1
        entries: list[Attribute] = []
        template = instantiation = False
        i = start
        while i < len(source.tokens) and source.word(i) not in ("(", "decltype", ";", "{"):
            if i in source.attributes:
                entries += source.attributes[i]
                i = source.partner[i]
            elif source.word(i) == "template":
                template = source.word(i + 1) == "<"
                instantiation = not template
                if template:
                    i = source.angle(i + 1) or i
            elif source.word(i) == "__attribute__":
                i = source.partner.get(i + 1, i + 1)
            i += 1
        arguments = {entry.name: entry.argument for entry in entries}
        host_name = _string(arguments.get("host_name"))
        if instantiation:
            instantiations.append(_instantiation(source, start, i, host_name))
        elif source.word(i) == "(" and source.kind(i - 1) == WORD:
            closed = source.partner.get(i, i)
            if source.word(closed + 1) != "{":
                continue  # declared here, defined elsewhere
            name = source.word(i - 1)
            if source.word(i - 2) != "void":
                raise _fail(source, i - 1, f"kernel '{name}' must have void return type")
            path = [n for a, b, n in namespaces if a < i < b and n]
            limit = constant_integer(arguments.get("max_total_threads_per_threadgroup"))
            at = source.tokens[i - 1].start
            body = (closed + 1, source.partner.get(closed + 1, len(source.tokens)))
            definitions.append(
                Definition(
                    name,
                    "::".join([*path, name]),
                    host_name,
                    template,
                    _parameters(source, i + 1, closed),
                    limit,
                    at,
                    body,
                )
            )
        else:
            raise _fail(source, marker, "'kernel' belongs before a function")
    return definitions, instantiations


def _instantiation(source: Source, start: int, i: int, host_name: str | None) -> Instantiation:
    """The explicit instantiation whose ``decltype`` or parameter list begins at token ``i``."""
    end = i
    while source.word(end) not in (";", ""):
        end = source.partner.get(end, end) + 1 if source.word(end) in ("(", "[", "{") else end + 1
    if source.word(i) == "decltype":
        first, last = source.partner.get(i + 1, i) + 1, end
    else:  # template [[kernel]] void f<T>(device T*, ...);
        last = i
        first = i - 1
        if source.word(first) == ">":
            depth = 0
            while first > start:
                depth += {">": 1, "<": -1}.get(source.word(first), 0)
                first -= 1
                if depth == 0:
                    break
    function = source.between(first, next((k for k in range(first, last) if source.word(k) == "<"), last))
    expression = source.between(first, last)
    return Instantiation(host_name or expression.replace(" ", ""), expression, function, (start, end))


def entry_name(name: str) -> str:
    """A function's name in the IR for the kernel ``name``."""
    return "kernel_" + re.sub(r"\W+", lambda m: "_".join(f"{ord(c):x}" for c in m[0]), name)


def entry(kernel: Kernel, expression: str) -> str:
    """The C++ of a kernel's entry function: the kernel called with a source of a value for each parameter."""
    sources = []
    for parameter in kernel.parameters:
        if parameter.kind == "attribute":
            sources.append(f"__simt::attribute::{parameter.attribute}")
        else:
            sources.append(f"__simt::buffer<{parameter.index}>")
    arguments = ", ".join([f"&{expression}", *sources])
    table = f"__simt::signature<decltype(&{expression})>::described()"
    return (
        f'extern "C" void {kernel.entry}() {{ __simt::call<{arguments}>(); }} '
        f'extern "C" constant auto {DESCRIBED}{kernel.entry} = {table};\n'
    )


def describe(ir: str, kernels: Mapping[str, Kernel]) -> tuple[str, dict[str, Kernel]]:
    """The IR without the tables that ``entry`` makes, and the kernels with what the tables say."""
    tables: dict[str, list[int]] = {kernel.entry: [] for kernel in kernels.values()}
    tables |= {m[1]: [int(n) - 1 for n in re.findall(r"i32 (\d+)", m[2])] for m in _TABLE.finditer(ir)}

    def parameter(p: Parameter, row: Sequence[int]) -> Parameter:
        return replace(p, element=ELEMENTS[row[0]], size=row[1], align=row[2])

    told = {}
    for name, kernel in kernels.items():
        table = tables[kernel.entry]
        rows = [table[3 * i : 3 * i + 3] for i in range(len(kernel.parameters))]
        told[name] = replace(kernel, parameters=tuple(map(parameter, kernel.parameters, rows)))
    return _TABLE.sub("", ir), told
