"""Structs that live in any address space, as Metal's do.

C++ copies an object from ``device`` memory only through a constructor that takes one. Such constructors,
defaulted, leave a struct trivial and, in C++17, an aggregate. A method belongs to a thread's own objects:
of several versions of one method for different address spaces the first stays.
"""

from __future__ import annotations

from collections.abc import Iterator

from anymetal.frontend.edits import Edits
from anymetal.frontend.source import Source
from anymetal.frontend.tokens import WORD

SPACES = ("device", "constant", "threadgroup")
_FROM = ("", *(space + " " for space in SPACES))


def bodies(source: Source) -> Iterator[tuple[str, int, int]]:
    """The name and the braces of every struct, class and union that has a name, if only by a typedef."""
    for i, token in enumerate(source.tokens):
        if token.text not in ("struct", "class", "union") or source.word(i - 1) in ("enum", "<", ","):
            continue
        at = i + 1
        while at in source.attributes or source.word(at) in ("alignas", "__attribute__"):
            opened = at if at in source.attributes else at + 1
            at = source.partner.get(opened, opened) + 1
        if source.word(at) == "{" and source.word(i - 1) == "typedef" and at in source.partner:
            after = source.partner[at] + 1
            if source.kind(after) == WORD and source.word(after + 1) == ";":
                yield source.word(after), at, after - 1
        if source.word(at) == "" or source.kind(at) != WORD:
            continue
        name = source.word(at)
        at += 1
        if source.word(at) == "<":  # a specialization
            closed = source.angle(at)
            if closed is None:
                continue
            at = closed + 1
        if source.word(at) == "final":
            at += 1
        if source.word(at) == ":":
            while source.word(at) not in ("{", ";", ""):
                at += 1
        if source.word(at) == "{" and at in source.partner:
            yield name, at, source.partner[at]


def members(source: Source, opened: int, closed: int) -> Iterator[tuple[int, int]]:
    """The half-open token range of each declaration between the braces of a type."""
    start = i = opened + 1
    while i < closed:
        text = source.word(i)
        if text == ";":
            if i > start:
                yield start, i + 1
            start = i = i + 1
        elif text == ":" and source.word(i - 1) in ("public", "private", "protected"):
            start = i = i + 1
        elif text in ("(", "["):
            i = source.partner.get(i, i) + 1
        elif text == "{":
            i = source.partner.get(i, i) + 1
            # A body ends a function; an initializer or a nested type goes on to its semicolon.
            if source.word(i) not in (";", ",", "{", ".") and any(
                source.word(k) == "(" for k in range(start, i)
            ):
                yield start, i
                start = i
        else:
            i += 1
    if start < closed:
        yield start, closed


def _name_before_parameters(source: Source, first: int, end: int) -> int | None:
    """The index of the ``(`` of a function's parameter list, or None for anything that is no function."""
    i = first
    while i < end:
        text = source.word(i)
        if text == "template" and source.word(i + 1) == "<":
            i = source.angle(i + 1) or i
        elif i in source.attributes:
            i = source.partner[i]
        elif text in ("alignas", "__attribute__", "decltype"):
            i = source.partner.get(i + 1, i + 1)
        elif text == "(":
            return i
        elif text == "[":
            i = source.partner.get(i, i)
        elif text in ("=", "{", ";"):
            return None
        elif text == "operator":
            while source.word(i) != "(" or (source.word(i + 1) == ")" and source.word(i + 2) == "("):
                i += 1
                if i >= end:
                    return None
            return i
        i += 1
    return None


def copyable(source: Source, edits: Edits) -> None:
    """Every struct can be copied out of every address space."""
    for name, opened, closed in bodies(source):
        constructor = own_copy = own_assignment = False
        data = False
        for first, end in members(source, opened, closed):
            at = _name_before_parameters(source, first, end)
            if at is None:
                words = {source.word(k) for k in range(first, end)}
                data = data or not words & {"using", "typedef", "static", "static_assert", "enum", "friend"}
                continue
            if source.word(at - 1) == name and source.word(at - 2) != "~" and source.word(at - 2) != ".":
                constructor = True
                shut = source.partner.get(at, at)
                parameter = [source.word(k) for k in range(at + 1, shut)]
                if name in parameter and "&" in parameter and "," not in parameter:
                    own_copy = True
            elif source.word(at - 1) == "=" and source.word(at - 2) == "operator":
                own_assignment = True
        if not data:
            continue
        lines = []
        if not constructor:
            lines.append(f"{name}()=default;")
        if not own_copy:
            lines += [f"constexpr {name}(const {space}{name}&)=default;" for space in _FROM]
        if not own_assignment:
            lines += [f"{name}&operator=(const {space}{name}&)=default;" for space in _FROM]
        if source.word(opened - 1) in ("struct", "class", "union"):  # unnamed: constructors need a name
            edits.insert(source.tokens[opened].start, f" {name} ")
        inside = source.tokens[opened].end
        edits.insert(inside, "".join([" public:", *lines]) if lines else "")


def method_spaces(source: Source, edits: Edits) -> None:
    """A method's address space goes; so does a second version of it that differs only in that."""
    for _, opened, closed in bodies(source):
        seen: set[tuple[str, ...]] = set()
        for first, end in members(source, opened, closed):
            at = _name_before_parameters(source, first, end)
            if at is None:
                continue
            shut = source.partner.get(at, at)
            signature = [source.word(k) for k in range(first, shut + 1)]
            qualifier = None
            i = shut + 1
            while source.word(i) in ("const", "volatile", "noexcept", *SPACES, "thread"):
                if source.word(i) in (*SPACES, "thread"):
                    qualifier = i
                else:
                    signature.append(source.word(i))
                i += 1
            if tuple(signature) in seen:
                edits.blank(source.tokens[first].start, source.tokens[end - 1].end)
            elif qualifier is not None:
                edits.blank(source.tokens[qualifier].start, source.tokens[qualifier].end)
            seen.add(tuple(signature))
