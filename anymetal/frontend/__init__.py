"""Metal source in, LLVM IR of one thread out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from anymetal.errors import AnymetalError
from anymetal.frontend import clang, repair, rewrite
from anymetal.frontend.constants import Value
from anymetal.frontend.diagnostics import ENTRIES, Reporter
from anymetal.frontend.edits import Edits
from anymetal.frontend.ir import tidy
from anymetal.frontend.kernels import (
    Definition,
    Instantiation,
    Kernel,
    Parameter,
    describe,
    entry,
    entry_name,
    find,
)
from anymetal.frontend.outline import Outline, outline, preprocess
from anymetal.frontend.refusals import refuse, unbalanced
from anymetal.frontend.repair import Repair
from anymetal.frontend.source import Place, Refused, Source

# Every function is inlined into the kernels that call it: a back end sees one function a kernel.
BEFORE = '#pragma clang attribute push(__attribute__((always_inline)), apply_to = function)\n# 1 "<stdin>"\n'
AFTER = "#pragma clang attribute pop\n"

__all__ = ["Kernel", "Module", "Outline", "Parameter", "compile_source", "optimise", "outline", "preprocess"]


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
    variables: bool = False,
    constants: Mapping[int | str, Value] | None = None,
    kernel: str | None = None,
    preprocessed: bool = False,
    optimised: bool = True,
) -> Module:
    """Compile Metal to the IR of one thread.

    ``text`` may hold ``#line 1 "name"`` markers; ``files`` maps such names to texts as the learner wrote
    them, which diagnostics quote. ``constants`` gives values to function constants, by index or by name.
    ``kernel`` compiles that one alone; it may be an instantiation such as ``gemv<float, 4>`` that the source
    does not hold. ``preprocessed`` says that ``text`` comes from ``preprocess``. ``line_tables`` makes
    instructions say where in the text they come from, ``variables`` also what becomes of its variables. IR
    that is not ``optimised`` is as clang writes it, function by function: for ``optimise``.

    Raises ``CompileError`` for anything that is not Metal, or not supported.
    """
    if math_mode not in clang.MATH_MODES:
        raise ValueError(f"math_mode must be one of {', '.join(clang.MATH_MODES)}, got {math_mode!r}")
    files = dict(files or {})
    files.setdefault("<stdin>", text)
    if not preprocessed:
        text = preprocess(text, files=files, include_dirs=include_dirs, defines=defines, math_mode=math_mode)
    source = Source(text)
    try:
        return _compile(
            source,
            files,
            constants or {},
            kernel,
            math_mode=math_mode,
            line_tables=line_tables,
            variables=variables,
            optimised=optimised,
        )
    except Refused as refused:
        raise Reporter(files, source).error(refused.at, refused.message) from None


def _compile(
    source: Source,
    files: Mapping[str, str],
    constants: Mapping[int | str, Value],
    kernel: str | None,
    *,
    math_mode: str,
    line_tables: bool,
    variables: bool,
    optimised: bool,
) -> Module:
    """Compile what the preprocessor made."""
    definitions, instantiations = find(source)
    refuse(source, definitions)
    kernels, entries, places = _entries(source, definitions, instantiations, kernel)
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
        status, ir, messages = clang.compile(
            text,
            [library],
            math_mode=math_mode,
            line_tables=line_tables,
            variables=variables,
            optimised=optimised,
        )
        if not status:
            ir, kernels = describe(ir, kernels)
            if not optimised:
                return Module(ir, kernels)
            return Module(tidy(ir, [kernel.entry for kernel in kernels.values()], source), kernels)
        more = repair.repairs(messages, source, edited, BEFORE.count("\n") + 1)
        if not set(more) - set(wanted):
            raise unbalanced(source) or Reporter(files, source, edited, places).clang(messages)
        wanted += [r for r in more if r not in wanted]


def optimise(ir: str, entry: str) -> str:
    """The IR of the kernel ``entry`` as ``compile_source`` gives it: ``ir`` holds it not optimised, alone and
    with all its calls inlined."""
    status, made, messages = clang.optimise(ir)
    if status:
        raise AnymetalError(f"LLVM's passes do not take this module:\n{messages}")
    return tidy(made, [entry], Source(""))


def _entries(
    source: Source,
    definitions: Sequence[Definition],
    instantiations: Sequence[Instantiation],
    only: str | None,
) -> tuple[dict[str, Kernel], list[str], list[Place]]:
    """The kernels by name, or ``only`` one; the C++ of their entry functions, one a line; and the places that
    ask for them."""
    kernels: dict[str, Kernel] = {}
    entries: list[str] = []
    places: list[Place] = []

    def add(name: str, expression: str, definition: Definition, at: int) -> None:
        if name not in kernels and only in (None, name):
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
    if only is not None and not kernels:
        function, bracket, arguments = only.partition("<")
        for definition in definitions:
            if (
                bracket
                and definition.template
                and function.strip() in (definition.name, definition.qualified)
            ):
                add(only, f"{definition.qualified}<{arguments}", definition, definition.at)
                break
        else:
            raise Refused(-1, f"the source has no kernel called '{only}'")
    return kernels, entries, places
