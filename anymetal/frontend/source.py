"""A preprocessed source as tokens, brackets and ``[[attributes]]``: what the rewriting passes share."""

from __future__ import annotations

import ast
import bisect
import functools
import operator
import re
from collections.abc import Callable
from dataclasses import dataclass

from anymetal.frontend.tokens import LINE, close_angle, match_brackets, tokenize

_MARKER = re.compile(r'[ \t]*#(?:line)?[ \t]+(\d+)[ \t]+"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True)
class Attribute:
    """One entry of a ``[[...]]``: ``buffer(0)`` has the name ``buffer`` and the argument ``0``."""

    name: str
    argument: str | None


@dataclass(frozen=True)
class Place:
    """Where something stands in the source before the preprocessor; lines and columns count from 1."""

    file: str
    line: int
    column: int


_OPERATORS: dict[type[ast.operator], Callable[[int, int], int]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.LShift: operator.lshift,
    ast.BitOr: operator.or_,
}


def constant_integer(text: str | None) -> int | None:
    """The value of an attribute's argument such as ``3`` or ``(100) + 2``; None for anything else."""

    def value(node: ast.expr) -> int:
        if isinstance(node, ast.Constant) and type(node.value) is int:
            return node.value
        if isinstance(node, ast.BinOp) and type(node.op) in _OPERATORS:
            return _OPERATORS[type(node.op)](value(node.left), value(node.right))
        raise ValueError

    try:
        return value(ast.parse(re.sub(r"(?<=\d)[uUlL]+", "", text or ""), mode="eval").body)
    except (SyntaxError, ValueError):
        return None


class Refused(Exception):
    """Something in the source is not Metal. ``at`` is its place in the preprocessed text."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.at = at
        self.message = message


class Source:
    """``tokens`` (without preprocessor lines), ``partner`` (bracket to bracket), ``attributes`` (index of
    the first ``[`` of each ``[[`` to its entries)."""

    def __init__(self, text: str) -> None:
        self.text = text
        every = tokenize(text)
        self.tokens = [token for token in every if token.kind != LINE]
        self._markers = [token for token in every if token.kind == LINE]
        self.partner = match_brackets(self.tokens)
        self.attributes: dict[int, list[Attribute]] = {}
        for i in range(len(self.tokens) - 1):
            if self.tokens[i].text == "[" and self.tokens[i + 1].text == "[":
                closed = self.partner.get(i)
                if closed is not None and self.partner.get(i + 1) == closed - 1:
                    self.attributes[i] = self._entries(i + 2, closed - 1)

    def _entries(self, first: int, end: int) -> list[Attribute]:
        entries = []
        for a, b in self.split(first, end):
            name = self.tokens[a].text
            if a + 2 < b and self.tokens[a + 1].text == "::":
                name, a = self.tokens[a + 2].text, a + 2
            argument = None
            if a + 1 < b and self.tokens[a + 1].text == "(":
                argument = self.between(a + 2, self.partner.get(a + 1, b))
            entries.append(Attribute(name, argument))
        return entries

    def word(self, i: int) -> str:
        """The text of token ``i``, or an empty string outside the source."""
        return self.tokens[i].text if 0 <= i < len(self.tokens) else ""

    def kind(self, i: int) -> str:
        """The kind of token ``i``, or an empty string outside the source."""
        return self.tokens[i].kind if 0 <= i < len(self.tokens) else ""

    def between(self, first: int, end: int) -> str:
        """The source of tokens ``first`` to ``end`` (without ``end``), on one line."""
        if first >= end:
            return ""
        return " ".join(self.text[self.tokens[first].start : self.tokens[end - 1].end].split())

    def angle(self, opened: int) -> int | None:
        """The index of the ``>`` that closes the ``<`` at ``opened``."""
        return close_angle(self.tokens, opened, self.partner)

    def split(self, first: int, end: int) -> list[tuple[int, int]]:
        """The ranges between the commas of ``first`` to ``end``; those inside brackets do not count."""
        ranges = []
        start = i = first
        while i < end:
            text = self.tokens[i].text
            if text == ",":
                ranges.append((start, i))
                start = i + 1
            elif text in "([{":
                i = self.partner.get(i, i)
            elif text == "<" and (closed := self.angle(i)) is not None and closed < end:
                i = closed
            i += 1
        if start < end:
            ranges.append((start, end))
        return ranges

    @functools.cached_property
    def _starts(self) -> list[int]:
        """Where each line begins."""
        return [0, *(m.end() for m in re.finditer("\n", self.text))]

    @functools.cached_property
    def _where(self) -> list[tuple[int, str, int]]:
        """For each line marker: the number (from 0) of the line after it, and the file and line it names."""
        found = [(0, "<stdin>", 1)]
        for marker in self._markers:
            if m := _MARKER.match(marker.text):
                name = m[2].replace('\\"', '"').replace("\\\\", "\\")
                found.append((bisect.bisect_right(self._starts, marker.start), name, int(m[1])))
        return found

    def place(self, at: int) -> Place:
        """The file, line and column of a place in the preprocessed text."""
        number = bisect.bisect_right(self._starts, at) - 1
        since, file, line = self._where[bisect.bisect_right(self._where, number, key=lambda w: w[0]) - 1]
        return Place(file, line + number - since, at - self._starts[number] + 1)

    def line_number(self, file: str, line: int) -> int | None:
        """Which line (from 0) of the preprocessed text is ``line`` of ``file``."""
        for i, (since, name, first) in enumerate(self._where):
            until = self._where[i + 1][0] - 1 if i + 1 < len(self._where) else len(self._starts)
            if name == file and first <= line < first + until - since:
                return since + line - first
        return None

    def line_span(self, number: int) -> tuple[int, int]:
        """Where line ``number`` (from 0) of the preprocessed text begins and ends."""
        end = self._starts[number + 1] - 1 if number + 1 < len(self._starts) else len(self.text)
        return self._starts[number], end

    @functools.cached_property
    def files(self) -> frozenset[str]:
        """The names of all files that the preprocessor read."""
        return frozenset(name for _, name, _ in self._where)
