"""Changes to a text that remember where everything came from."""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass, field


@dataclass
class Edits:
    """Replacements of spans of one text. Insertions at one place keep their order; a replaced span wins over
    changes inside it."""

    source: str
    spans: list[tuple[int, int, str]] = field(default_factory=list)

    def replace(self, start: int, end: int, text: str) -> None:
        self.spans.append((start, end, text))

    def insert(self, at: int, text: str) -> None:
        self.spans.append((at, at, text))

    def blank(self, start: int, end: int) -> None:
        """Spaces instead of the span, so that nothing after it moves; line ends stay."""
        self.spans.append((start, end, _blanks(self.source[start:end])))

    def apply(self) -> Edited:
        """The changed text, and the map back."""
        parts: list[str] = []
        new_starts: list[int] = []
        old_starts: list[int] = []
        old = new = 0
        for start, end, text in sorted(self.spans, key=lambda span: span[0]):
            if start < old:
                continue  # inside something already replaced
            new_starts.append(new)
            old_starts.append(old)
            parts += (self.source[old:start], text)
            new += start - old
            new_starts.append(new)
            old_starts.append(start)
            new += len(text)
            old = end
        new_starts.append(new)
        old_starts.append(old)
        parts.append(self.source[old:])
        return Edited("".join(parts), new_starts, old_starts)


def _blanks(text: str) -> str:
    return "".join("\n" if c == "\n" else " " for c in text)


@dataclass(frozen=True)
class Edited:
    """A changed text. ``origin`` maps a place in it to the place in the text before."""

    text: str
    new_starts: list[int]
    old_starts: list[int]

    @functools.cached_property
    def _lines(self) -> list[int]:
        return [0, *(i + 1 for i, c in enumerate(self.text) if c == "\n")]

    def line_start(self, number: int) -> int:
        """Where line ``number`` (from 0) begins, or the text ends; no edit adds or removes a line."""
        return self._lines[number] if number < len(self._lines) else len(self.text)

    def origin(self, at: int) -> int:
        i = bisect.bisect_right(self.new_starts, at) - 1
        old = self.old_starts[i] + at - self.new_starts[i]
        return min(old, self.old_starts[i + 1]) if i + 1 < len(self.old_starts) else old
