"""clang's messages, told about the learner's own lines.

clang reads a text that was preprocessed and rewritten. A message's file and line are those of the line
markers, so they are right already; its column is taken back through the rewriting, and then to the same
token of the line as written.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from anymetal.errors import CompileError
from anymetal.frontend.edits import Edited
from anymetal.frontend.source import Place, Source
from anymetal.frontend.tokens import tokenize

_MESSAGE = re.compile(
    r"^(?P<file>.*?):(?P<line>\d+):(?P<column>\d+):(?:\{[\d:{}-]*\}:?)? "
    r"(?P<kind>fatal error|error|note): (?P<text>.*)$"
)
ENTRIES = "<entries>"
_MAX_ERRORS = 5
_MAX_NOTES = 2

# Names that a learner never wrote.
_CLEAN: tuple[tuple[re.Pattern[str], str], ...] = (
    (re.compile(r"__attribute__\(\(address_space\(1\)\)\) ?"), "device "),
    (re.compile(r"(?:const )?__attribute__\(\(address_space\(2\)\)\) ?(?:const )?"), "constant "),
    (re.compile(r"__attribute__\(\(address_space\(3\)\)\) ?"), "threadgroup "),
    (re.compile(r"\b(\w+)(?: const)? __attribute__\(\(ext_vector_type\((\d)\)\)\)"), r"\1\2"),
    (re.compile(r" \(vector of \d '[^']*' values?\)"), ""),
    (re.compile(r" \(aka '[^']*'\)"), ""),
    (re.compile(r"address space '1'"), "the device address space"),
    (re.compile(r"address space '2'"), "the constant address space"),
    (re.compile(r"address space '3'"), "the threadgroup address space"),
    (re.compile(r"generic address space"), "the thread address space"),
    (re.compile(r"\b(device|threadgroup) ([\w:<>, ]+?) const\b"), r"const \1 \2"),
    (re.compile(r"\b_Float16(?=(\d)?\b)"), "half"),
    (re.compile(r"\b__bf16(?=(\d)?\b)"), "bfloat"),
    (re.compile(r"\bunsigned (char|short|int|long)(?=\d)"), r"u\1"),
    (re.compile(r"static assertion failed(?: due to requirement '.*?')?: "), ""),
    (re.compile(r"__simt::(?:make|cast)<(.*?)>"), r"\1"),
)  # fmt: skip


@dataclass(frozen=True)
class Message:
    """One line of clang's."""

    file: str
    line: int
    column: int
    kind: str
    text: str


def parse(messages: str) -> list[Message]:
    """clang's errors and notes, in order."""
    found = []
    for line in messages.splitlines():
        m = _MESSAGE.match(line)
        if m:
            kind = "note" if m["kind"] == "note" else "error"
            found.append(Message(m["file"], int(m["line"]), int(m["column"]), kind, m["text"]))
    return found


def clean(text: str) -> str:
    """A message in Metal's words."""
    for pattern, replacement in _CLEAN:
        text = pattern.sub(replacement, text)
    return text


class Reporter:
    """Makes ``CompileError`` from clang's messages and from places in the preprocessed text."""

    def __init__(
        self,
        files: Mapping[str, str],
        source: Source | None = None,
        edited: Edited | None = None,
        entries: Sequence[Place] = (),
    ) -> None:
        """``entries`` are the places of the kernels that the lines of the file ``ENTRIES`` call."""
        self.files = files
        self.entries = entries
        self.source = source
        self.edited = edited
        self._lines: dict[str, list[str]] = {}

    def error(self, at: int, message: str) -> CompileError:
        """An error at a place of the preprocessed text, or, with -1, at none."""
        assert self.source is not None
        if at < 0:
            return CompileError(f"error: {message}")
        place = self.source.place(at)
        written = self._written(place.file, place.line)
        if written is not None:
            start = self.source.text.rfind("\n", 0, at) + 1
            end = self.source.text.find("\n", at)
            line = self.source.text[start : end if end >= 0 else None]
            place = Place(place.file, place.line, _column(line, place.column, written))
        return _raise_at([(place, message, written)])

    def clang(self, messages: str) -> CompileError:
        """The error that clang's messages amount to."""
        blocks: list[tuple[Place | None, str, str | None]] = []
        seen = set()
        parsed = parse(messages)
        errors = [i for i, message in enumerate(parsed) if message.kind == "error"]
        # What is wrong with a call of a kernel matters only while nothing is wrong with the kernel.
        errors = [i for i in errors if parsed[i].file != ENTRIES] or errors
        for at in errors:
            message = parsed[at]
            notes = list(itertools.takewhile(lambda m: m.kind == "note", parsed[at + 1 :]))
            text = clean(message.text)
            if text.startswith("too many errors"):
                continue
            # An error inside a header belongs to the learner's line that led there.
            place = self._place(message)
            if place is None:
                place = next((p for p in map(self._place, notes) if p is not None), None)
            if place is None and not self._generated(message.file):
                place = Place(message.file, message.line, message.column)
            # One complaint of anymetal's own headers about a line is enough; the first says what is wrong.
            key = (place, "" if self._generated(message.file) else text)
            if key in seen:
                continue
            seen.add(key)
            blocks.append((place, text, self._written(place.file, place.line) if place else None))
            shown = 0
            for note in notes:
                spot = self._place(note)
                # Why a function of Metal's library did not fit; where that stands is nobody's concern.
                if spot is None and shown == 0 and _reason(note) and self._generated(note.file):
                    shown += 1
                    blocks.append((None, "note: " + clean(note.text), None))
                if spot is None or spot == place or shown == _MAX_NOTES or _trace(note.text):
                    continue
                shown += 1
                blocks.append((spot, "note: " + clean(note.text), self._written(spot.file, spot.line)))
            if len(seen) == _MAX_ERRORS:
                break
        # Where clang stops without a message of its form, its own words are all there is.
        return _raise_at(blocks) if blocks else CompileError(clean(messages.strip()))

    def _generated(self, file: str) -> bool:
        return (file.startswith("<") and file not in self.files) or "anymetal/frontend/" in file.replace(
            "\\", "/"
        )

    def _place(self, message: Message) -> Place | None:
        """Where the learner finds what a message speaks of; None for places that are not the learner's."""
        if message.file == ENTRIES and message.line <= len(self.entries):
            place = self.entries[message.line - 1]
            return None if self._generated(place.file) else place
        if message.file not in self.files:
            return None
        written = self._written(message.file, message.line)
        if written is None:
            return None
        column = len(written.encode()[: message.column - 1].decode(errors="ignore")) + 1
        if self.source is not None:
            column = self._origin(message, written)
        return Place(message.file, message.line, column)

    def _origin(self, message: Message, written: str) -> int:
        """A column of the rewritten text as a column of the line as written."""
        assert self.source is not None
        first = len(written) - len(written.lstrip()) + 1
        number = self.source.line_number(message.file, message.line)
        if number is None or self.edited is None:
            return first
        start, end = self.edited.line_start(number), self.edited.line_start(number + 1)
        # clang counts bytes.
        before = self.edited.text[start:end].encode()[: message.column - 1]
        old = self.edited.origin(start + len(before.decode(errors="ignore")))
        old_start, old_end = self.source.line_span(number)
        if not old_start <= old <= old_end:
            return first
        return _column(self.source.text[old_start:old_end], old - old_start + 1, written)

    def _written(self, file: str, line: int) -> str | None:
        """A line as the learner wrote it."""
        if file not in self._lines:
            text = self.files.get(file)
            if text is None:
                try:
                    text = Path(file).read_text()
                except (OSError, ValueError):
                    text = ""
            self._lines[file] = text.splitlines()
        lines = self._lines[file]
        return lines[line - 1] if 0 < line <= len(lines) else None


def _reason(note: Message) -> bool:
    """Whether a note says why a function of Metal's library does not fit, and says it in Metal's words."""
    return note.text.startswith("candidate") and "__simt" not in note.text


def _trace(text: str) -> bool:
    """Whether a note only tells how clang got somewhere."""
    return text.startswith(
        ("in instantiation", "expanded from", "while ", "in file included", "(skipping", "in evaluation")
    )


def _column(preprocessed: str, column: int, written: str) -> int:
    """The column of the same token in the line as written: the n-th of its spelling there, as it is here."""
    if preprocessed == written:
        return column
    tokens = tokenize(preprocessed)
    here = next((t for t in tokens if t.start <= column - 1 < t.end), None)
    if here is not None:
        nth = sum(t.text == here.text and t.start < here.start for t in tokens)
        there = [t for t in tokenize(written) if t.text == here.text]
        if nth < len(there):
            return there[nth].start + column - here.start
    # The token came out of a macro: the macro's name is the first word that the preprocessor took away.
    kept = [t.text for t in tokens]
    for token in tokenize(written):
        if token.kind == "word" and token.text not in kept:
            return token.start + 1
    return len(written) - len(written.lstrip()) + 1


def _raise_at(blocks: list[tuple[Place | None, str, str | None]]) -> CompileError:
    parts = []
    for place, message, written in blocks:
        label = message if message.startswith("note: ") else f"error: {message}"
        if place is None:
            parts.append(label)
            continue
        part = f"{place.file}:{place.line}:{place.column}: {label}"
        if written is not None:
            before = "".join("\t" if c == "\t" else " " for c in written[: place.column - 1])
            part += f"\n{written}\n{before}^"
        parts.append(part)
    place, _, written = blocks[0]
    if place is None:
        return CompileError("\n".join(parts))
    return CompileError("\n".join(parts), file=place.file, line=place.line, column=place.column, text=written)
