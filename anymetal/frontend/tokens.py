"""C++ tokens with their places: enough of a lexer to find and change what clang does not know of Metal."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

WORD, NUMBER, STRING, PUNCTUATION, LINE = "word", "number", "string", "punctuation", "line"

# One alternative a kind. Comments are gone: the preprocessor ran. A line that starts with # is one token.
_TOKEN = re.compile(
    r"""(?P<word>[A-Za-z_]\w*)
      | (?P<line>^[ \t]*\#[^\n]*)
      | (?P<number>\.?\d(?:'?[\w.]|(?<=[eEpP])[+-])*)
      | (?P<string>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
      | (?P<punctuation>::|->\*|->|<<=|>>=|<=>|\+\+|--|<<|<=|>=|==|!=|&&|\|\||[-+*/%&|^]=|\.\.\.|[^\s\w])""",
    re.VERBOSE | re.MULTILINE,
)


class Token(NamedTuple):
    """A token's kind, its text and its half-open place in the source."""

    kind: str
    text: str
    start: int
    end: int


def tokenize(source: str) -> list[Token]:
    """The tokens of preprocessed C++. ``>>`` stays two tokens, so that template brackets close one by one."""
    return [Token(m.lastgroup or "", m.group(), m.start(), m.end()) for m in _TOKEN.finditer(source)]


_OPEN = {"(": ")", "[": "]", "{": "}"}
_CLOSE = frozenset(_OPEN.values())


def match_brackets(tokens: Sequence[Token]) -> dict[int, int]:
    """For each bracket's index the index of its partner, both ways; those without a partner are left out."""
    partner: dict[int, int] = {}
    stack: list[int] = []
    for i, token in enumerate(tokens):
        text = token.text
        if text in _OPEN:
            stack.append(i)
        elif text in _CLOSE and stack and _OPEN[tokens[stack[-1]].text] == text:
            opened = stack.pop()
            partner[opened], partner[i] = i, opened
    return partner


def close_angle(tokens: Sequence[Token], opened: int, partner: dict[int, int]) -> int | None:
    """The index of the ``>`` that closes the ``<`` at ``opened``, or None where that ``<`` compares."""
    # After these a bracket it is, whatever comes; elsewhere `a < b && c > d` compares.
    certain = opened > 0 and tokens[opened - 1].text in (
        "template",
        "static_cast",
        "enable_if",
        "enable_if_t",
    )
    depth = 0
    i = opened
    while i < len(tokens):
        text = tokens[i].text
        if text == "<":
            # After a bracket it compares: enable_if_t<sizeof(T) < 8>.
            depth += tokens[i - 1].text not in (")", "]")
        elif text == ">":
            depth -= 1
            if depth == 0:
                return i
        elif text in _OPEN:
            i = partner.get(i, len(tokens))
        elif text in _CLOSE or text == ";" or (text in ("&&", "||") and not certain):
            return None
        i += 1
    return None
