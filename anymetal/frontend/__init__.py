"""Metal source in, LLVM IR of one thread out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anymetal.frontend import clang, repair, rewrite
from anymetal.frontend.constants import Value
from anymetal.frontend.diagnostics import ENTRIES, Reporter
from anymetal.frontend.edits import Edits
from anymetal.frontend.ir import tidy
from anymetal.frontend.kernels import Definition, Instantiation, Kernel, Parameter, entry, entry_name, find
from anymetal.frontend.refusals import refuse
from anymetal.frontend.repair import Repair
from anymetal.frontend.source import Place, Refused, Source

# Every function is inlined into the kernels that call it: a back end sees one function a kernel.
BEFORE = '#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)\n# 1 "<stdin>"\n'
AFTER = "#pragma clang attribute pop\n"

__all__ = ["Kernel", "Module", "Parameter", "compile_source"]


@dataclass(frozen=True)
class Module:
    """LLVM IR text, and its kernels by name."""

    ir: str
    kernels: dict[str, Kernel]


def compile_source(
    text: str,
    *,
    files: Mapping[str, str] | None = None,
    include_dirs: Sequence[str] = (),
    defines: Mapping[str, str | int] | None = None,
    math_mode: str = "safe",
    line_tables: bool = False,
    constants: Mapping[int | str, Value] | None = None,
) -> Module:
    """Compile Metal to the IR of one thread.

    ``text`` may hold ``#line 1 "name"`` markers; ``files`` maps such names to texts as the learner wrote
    them, which diagnostics quote. ``constants`` gives values to function constants, by index or by name.
    Raises ``CompileError`` for anything that is not Metal, or not supported.
    """
    files = dict(files or {})
    fast = math_mode == "fast"
    macros = {**(defines or {}), **({"__FAST_MATH__": 1} if fast else {})}
    files.setdefault("<stdin>", text)

    status, preprocessed, messages = clang.preprocess(text, include_dirs, macros)
    if status:
        raise Reporter(files).clang(messages)
    source = Source(preprocessed)
    try:
        return _compile(source, files, constants or {}, fast_math=fast, line_tables=line_tables)
    except Refused as refused:
        raise Reporter(files, source).error(refused.at, refused.message) from None


def _compile(
    source: Source,
    files: Mapping[str, str],
    constants: Mapping[int | str, Value],
    *,
    fast_math: bool,
    line_tables: bool,
) -> Module:
    """Compile what the preprocessor made."""
    definitions, instantiations = find(source)
    refuse(source, definitions)
    kernels, entries, places = _entries(source, definitions, instantiations)
    calls = "".join(['\n# 1 "', ENTRIES, '"\n', *entries])
    library = "all.h" if any(name.endswith("metal_stdlib") for name in source.files) else "language.h"
    wanted: list[Repair] = []
    while True:
        edits = Edits(source.text)
        repair.apply(
            wanted, edits, lambda e: rewrite.rewrite(source, e, definitions, instantiations, constants)
        )
        edited = edits.apply()
        text = BEFORE + edited.text + calls + AFTER
        status, ir, messages = clang.compile(text, [library], fast_math=fast_math, line_tables=line_tables)
        if not status:
            return Module(tidy(ir, [kernel.entry for kernel in kernels.values()], source), kernels)
        more = repair.repairs(messages, source, edited, BEFORE.count("\n") + 1)
        if not set(more) - set(wanted):
            raise Reporter(files, source, edited, places).clang(messages)
        wanted += [r for r in more if r not in wanted]


def _entries(
    source: Source, definitions: Sequence[Definition], instantiations: Sequence[Instantiation]
) -> tuple[dict[str, Kernel], list[str], list[Place]]:
    """The kernels by name; the C++ of their entry functions, one a line; and the places that ask for them."""
    kernels: dict[str, Kernel] = {}
    entries: list[str] = []
    places: list[Place] = []

    def add(name: str, expression: str, definition: Definition, at: int) -> None:
        if name not in kernels:
            kernels[name] = Kernel(name, entry_name(name), definition.parameters, definition.max_threads)
            entries.append(entry(kernels[name], expression))
            places.append(source.place(at))

    for definition in definitions:
        if not definition.template:
            add(definition.host_name or definition.name, definition.qualified, definition, definition.at)
    for instantiation in instantiations:
        at = source.tokens[instantiation.span[0]].start
        for definition in definitions:
            if instantiation.function in (definition.name, definition.qualified):
                add(instantiation.name, instantiation.expression, definition, at)
                break
        else:
            raise Refused(at, f"explicit instantiation of '{instantiation.function}', which is not a kernel")
    return kernels, entries, places
