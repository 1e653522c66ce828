"""What C++ allows and Metal does not, found before clang sees it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anymetal.frontend.kernels import Definition
from anymetal.frontend.source import Refused, Source
from anymetal.frontend.tokens import WORD

# Words that no Metal source may hold.
WORDS = {
    "double": "'double' is not supported in Metal",
    "goto": "'goto' is not supported in Metal",
    "new": "'new' is not supported in Metal: a kernel allocates no memory",
    "delete": "'delete' is not supported in Metal: a kernel allocates no memory",
    "virtual": "virtual functions are not supported in Metal",
    "try": "exceptions are not supported in Metal",
    "throw": "exceptions are not supported in Metal",
    "catch": "exceptions are not supported in Metal",
    "dynamic_cast": "'dynamic_cast' is not supported in Metal: there is no run-time type information",
    "typeid": "'typeid' is not supported in Metal: there is no run-time type information",
    "thread_local": "'thread_local' is not supported in Metal",
    "asm": "'asm' is not supported in Metal",
    "__asm__": "'asm' is not supported in Metal",
}

# Metal, but not here.
_UNSUPPORTED = re.compile(
    r"(?:texture(?:1d|2d|3d|cube|buffer|_buffer)?(?:_ms)?(?:_array)?|sampler"
    r"|depth(?:2d|cube)(?:_ms)?(?:_array)?"
    r"|imageblock|command_buffer|render_command|compute_command|visible_function_table|intersection_function_table"
    r"|primitive_acceleration_structure|instance_acceleration_structure|raytracing|mesh|object_data"
    r"|tensor|cooperative_tensor)\Z"
)
_STAGES = {"vertex": "vertex functions", "fragment": "fragment functions"}


def refuse(source: Source, definitions: Sequence[Definition]) -> None:
    """Raise ``Refused`` for the first thing that Metal, or anymetal, lacks."""
    _words(source)
    _program_scope(source)
    _threadgroup_scope(source, definitions)
    _recursion(source)


def _words(source: Source) -> None:
    for i, token in enumerate(source.tokens):
        if token.kind != WORD:
            continue
        text = token.text
        if text in WORDS and source.word(i - 1) not in (".", "->"):
            if text == "delete" and source.word(i - 1) == "=":
                continue
            raise Refused(token.start, WORDS[text])
        if text == "long" and source.word(i + 1) == "long":
            raise Refused(token.start, "'long long' is not supported in Metal: 'long' has 64 bits")
        if (_UNSUPPORTED.match(text) and source.word(i + 1) in ("<", ":")) or (
            text == "sampler" and source.kind(i + 1) == WORD
        ):
            raise Refused(token.start, f"{text} is not supported by anymetal")
        if text in _STAGES and source.word(i - 1) in ("", ";", "}", "]") and source.kind(i + 1) == WORD:
            raise Refused(token.start, f"{_STAGES[text]} are not supported by anymetal, which runs kernels")


def _program_scope(source: Source) -> None:
    """A variable outside every function is in ``constant``; nothing else is shared by all threads."""
    i = start = 0
    while i < len(source.tokens):
        text = source.word(i)
        if text == "namespace" or (text == "extern" and source.kind(i + 1) == "string"):
            while source.word(i) not in ("{", ";", ""):
                i += 1
            i += 1
            start = i
            continue
        if i in source.attributes:
            i = source.partner[i] + 1
            continue
        if text == "<" and (closed := source.angle(i)) is not None:
            i = closed + 1
            continue
        if text in ("(", "["):
            i = source.partner.get(i, i) + 1
            continue
        if text == "{":
            words = [source.word(k) for k in range(start, i)]
            _variable(source, start, i)
            i = source.partner.get(i, i) + 1
            if source.word(i) != ";" and not {"struct", "class", "union", "enum", "="} & set(words):
                start = i
            continue
        if text in (";", "}"):
            if text == ";":
                _variable(source, start, i)
            start = i + 1
        i += 1


_NOT_VARIABLES = frozenset(
    "using typedef struct class union enum static_assert template friend constant kernel operator".split()
)


def _variable(source: Source, start: int, end: int) -> None:
    """Refuse the declaration of tokens ``start`` to ``end`` if it is a variable outside ``constant``."""
    words: list[int] = []
    i = start
    while i < end and source.word(i) not in ("=", "{"):
        text = source.word(i)
        if i in source.attributes:
            i = source.partner[i]
        elif text == "(" or text in _NOT_VARIABLES:
            return
        elif source.kind(i) == WORD:
            words.append(i)
        i += 1
    if len(words) >= 2:
        name = words[-1]
        raise Refused(
            source.tokens[name].start,
            f"program scope variable '{source.word(name)}' must reside in constant address space",
        )


def _threadgroup_scope(source: Source, definitions: Sequence[Definition]) -> None:
    """``threadgroup`` memory belongs to a kernel: no function and no struct declares any."""
    inside = [False] * len(source.tokens)
    for definition in definitions:
        for i in range(*definition.body):
            inside[i] = True
    for i, token in enumerate(source.tokens):
        if (
            token.text != "threadgroup"
            or inside[i]
            or i - 1 in source.attributes
            or source.word(i - 1) == "["
        ):
            continue
        if source.word(i - 1) not in (";", "{", "}") or source.kind(i + 1) != WORD:
            continue
        at = i + 1
        while source.word(at) not in (";", "=", "*", "&", "(", "{", "", "["):
            at = (source.angle(at) or at) + 1 if source.word(at) == "<" else at + 1
        if source.word(at) in (";", "=", "["):
            name = source.word(at - 1)
            raise Refused(
                source.tokens[at - 1].start,
                f"variable '{name}' in threadgroup address space must be declared in a kernel's body",
            )


def _recursion(source: Source) -> None:
    """A function that calls itself. Longer circles are found when a call is left after inlining."""
    functions: dict[str, list[tuple[int, int]]] = {}
    i = 0
    while i < len(source.tokens):
        closed = source.partner.get(i, i)
        if source.word(i) == "(" and source.kind(i - 1) == WORD and source.word(closed + 1) == "{":
            body = (closed + 1, source.partner.get(closed + 1, closed + 1))
            functions.setdefault(source.word(i - 1), []).append(body)
            i = body[1]  # what is called in a body is not defined there
        i += 1
    for name, bodies in functions.items():
        if len(bodies) > 1:
            continue  # overloads may call each other
        for k in range(*bodies[0]):
            called = source.word(k) == name and source.word(k + 1) == "("
            if called and source.word(k - 1) not in (".", "->", "::"):
                message = f"recursion is not supported in Metal: '{name}' calls itself"
                raise Refused(source.tokens[k].start, message)


def unbalanced(source: Source) -> Refused | None:
    """The bracket that ends in another file than it began, or nowhere. clang notices where the text ends,
    which is not the learner's."""
    where = [source.place(token.start).file if token.text in "(){}[]" else "" for token in source.tokens]
    for i, token in enumerate(source.tokens):
        if token.text not in ("{", "}") or where[i].startswith("<"):
            continue
        other = source.partner.get(i)
        if other is None or where[other] != where[i]:
            if token.text == "{":
                return Refused(token.start, "expected '}' to match this '{'")
            return Refused(token.start, "extraneous closing brace ('}')")
    return None
