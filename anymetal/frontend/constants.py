"""Function constants: ``constant bool aligned [[function_constant(3)]];`` gets its value from the caller."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from anymetal.frontend.edits import Edits
from anymetal.frontend.source import Refused, Source, constant_integer

Value = bool | int | float


@dataclass(frozen=True)
class FunctionConstant:
    """A declaration: its name, its index, and the tokens ``first`` to ``end`` (the semicolon)."""

    name: str
    index: int
    first: int
    end: int


def find(source: Source) -> list[FunctionConstant]:
    """All function constants that the source declares."""
    found = []
    for i, entries in source.attributes.items():
        for entry in entries:
            if entry.name != "function_constant" or source.word(source.partner[i] + 1) != ";":
                continue
            name = i - 1
            index = constant_integer(entry.argument)
            if index is None:
                raise Refused(source.tokens[i].start, "a function constant's index is a number")
            first = name
            while source.word(first - 1) not in (";", "{", "}", ""):
                first -= 1
            found.append(FunctionConstant(source.word(name), index, first, source.partner[i] + 1))
    return found


def give(source: Source, edits: Edits, constants: Mapping[int | str, Value]) -> None:
    """Give each declared constant its value; one without a value may be asked about, but not used."""
    declared = find(source)
    defined = {}
    for constant in declared:
        value = constants.get(constant.index, constants.get(constant.name))
        defined[constant.name] = value is not None
        start = source.tokens[constant.first].start
        if value is None:
            edits.insert(start, "extern const ")
        else:
            edits.insert(start, "static constexpr ")
            edits.insert(source.tokens[constant.end].start, f"= {_literal(value)}")
    if not declared:
        return
    for i, token in enumerate(source.tokens):
        if (
            token.text == "is_function_constant_defined"
            and source.word(i + 1) == "("
            and source.word(i + 3) == ")"
        ):
            edits.insert(token.start, "true" if defined.get(source.word(i + 2)) else "false")
            edits.blank(token.start, source.tokens[i + 3].end)


def _literal(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if math.isnan(value):
        return '__builtin_nanf("")'
    if math.isinf(value):
        return "__builtin_inff()" if value > 0 else "-__builtin_inff()"
    return f"{float(value).hex()}f"
