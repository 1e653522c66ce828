"""Expressions that only clang knows to need help, because only clang knows their types.

C++ cannot assign to an object of a struct's type outside a thread's own memory, convert it, call its methods,
or construct one in ``constant`` memory in place. Metal can. clang's message says exactly where; the
expression there is wrapped (see library/spaces.h), and the text compiled again. What is wrapped for reading
is const, so a write that would be lost is still an error.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from anymetal.frontend.edits import Edited, Edits
from anymetal.frontend.source import Source

_ERROR = re.compile(r"^.*?:\d+:\d+:(?P<ranges>\{[\d:{}-]*\}:)? (?:fatal )?error: (?P<text>.*)$")
_AT = re.compile(r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+):")
_RANGE = re.compile(r"\{(\d+):(\d+)-(\d+):(\d+)\}")
_UPDATE = re.compile(r"no viable overloaded '[-+*/]='")
_OTHER_SPACE = re.compile(r"'this' object is in address space '[123]'")
_SPACE = r"(?:const )*(?:device|threadgroup|__attribute__\(\(address_space\(\d\)\)\)) "
_CONVERSION = re.compile(rf"no viable conversion from '{_SPACE}")
_OBJECT = re.compile(
    rf"cannot initialize object parameter of type 'const .*' with an expression of type '{_SPACE}"
)
_CONSTANT = re.compile(
    r"no matching constructor for initialization of '(?:const )*__attribute__\(\(address_space\(2\)\)\) "
)


@dataclass(frozen=True)
class Repair:
    """A span of the preprocessed source, and what to put around it."""

    start: int
    end: int
    before: str
    after: str


def apply(found: Sequence[Repair], edits: Edits, rewrite: Callable[[Edits], None]) -> None:
    """Make all repairs around the changes of ``rewrite``, so that they enclose what it inserts."""
    for repair in found:
        edits.insert(repair.start, repair.before)
    rewrite(edits)
    for repair in found:
        edits.insert(repair.end, repair.after)


def repairs(messages: str, source: Source, edited: Edited, first_line: int) -> list[Repair]:
    """What would answer clang's complaints; ``first_line`` is where in its input the edited text begins."""
    found: list[Repair] = []
    lines = messages.splitlines()
    for i, line in enumerate(lines):
        error = _ERROR.match(line)
        if not error:
            continue
        at = _AT.match(line)
        number = source.line_number(at["file"], int(at["line"])) if at else None
        if at is None or number is None:
            continue  # in one of anymetal's own headers
        notes = list(itertools.takewhile(lambda later: not _ERROR.match(later), lines[i + 1 :]))
        elsewhere = any(map(_OTHER_SPACE.search, notes))  # the object is not in the thread's own memory
        spans = [_span(m, edited, first_line) for m in _RANGE.finditer(error["ranges"] or "")]
        column = edited.origin(edited.line_start(number) + int(at["column"]) - 1)
        text = error["text"]
        if text.startswith("no matching member function for call to ") and elsewhere:
            found += _object(source, column)
        elif _CONSTANT.match(text):
            found += _constant(source, column)
        elif not spans:
            continue
        elif text.startswith("no viable overloaded operator[]") and elsewhere:
            found.append(_wrap(spans[0], "__simt::parts("))
        elif text.startswith("no viable overloaded '") and (elsewhere or _UPDATE.match(text)):
            found.append(_wrap(spans[0], "__simt::place("))
        elif _CONVERSION.match(text) or _OBJECT.match(text):
            found.append(_wrap(spans[0], "__simt::copy("))
    return list(dict.fromkeys(found))


def _span(m: re.Match[str], edited: Edited, first_line: int) -> tuple[int, int]:
    a, b, c, d = map(int, m.groups())
    start = edited.line_start(a - first_line) + b - 1
    end = edited.line_start(c - first_line) + d - 1
    return edited.origin(start), edited.origin(end)


def _wrap(span: tuple[int, int], before: str) -> Repair:
    return Repair(*span, before, ")")


def _token_at(source: Source, at: int) -> int | None:
    return next((k for k, token in enumerate(source.tokens) if token.start == at), None)


def _object(source: Source, at: int) -> list[Repair]:
    """The object before the method whose name is at ``at``: a name, perhaps with subscripts and members."""
    i = _token_at(source, at)
    if i is None or source.word(i - 1) != ".":
        return []
    end = begin = i - 1
    while True:
        begin -= 1
        while source.word(begin) in ("]", ")"):
            begin = source.partner.get(begin, begin) - 1
        if source.word(begin - 1) not in (".", "->", "::"):
            break
        begin -= 1
    return [_wrap((source.tokens[begin].start, source.tokens[end - 1].end), "__simt::copy(")]


def _constant(source: Source, at: int) -> list[Repair]:
    """``constant T x(1, 2);`` as ``constant T x = T(1, 2);``."""
    i = _token_at(source, at)
    if i is None or source.word(i + 1) not in ("(", "{"):
        return []
    begin = i - 1
    while source.word(begin) != "constant":
        begin -= 1
        if begin < 0 or source.word(begin) in (";", "{", "}"):
            return []
    end = source.tokens[i].end
    return [Repair(end, end, f" = {source.between(begin + 1, i)}", "")]
