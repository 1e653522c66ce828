"""Metal made into C++ that clang reads: each function changes one thing that Metal has and C++ has not."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence

from anymetal.frontend import constants
from anymetal.frontend.clang import UNROLL
from anymetal.frontend.constants import Value
from anymetal.frontend.edits import Edits
from anymetal.frontend.kernels import Definition, Instantiation, markers
from anymetal.frontend.source import Refused, Source
from anymetal.frontend.structs import copyable, method_spaces
from anymetal.frontend.tokens import NUMBER, WORD

SPACES = frozenset({"device", "constant", "threadgroup", "thread"})
# Nobody knows what such memory holds before it is written, nor who writes it.
SHARED = "__attribute__((loader_uninitialized, used))"
VECTOR = re.compile(r"(?:packed_)?(?:bool|u?char|u?short|u?int|u?long|half|bfloat|float)[234]\Z")


def attributes(source: Source, edits: Edits) -> None:
    """``[[...]]`` goes; what it says was read before."""
    for i in source.attributes:
        edits.blank(source.tokens[i].start, source.tokens[source.partner[i]].end)


def kernel_keywords(source: Source, edits: Edits) -> None:
    """``kernel`` and ``[[kernel]]`` become ``static``: the entry function is what the world sees."""
    for i in markers(source):
        token = source.tokens[i]
        end = source.tokens[source.partner[i]].end if i in source.attributes else token.end
        edits.replace(token.start, token.start + 6, "static")
        edits.blank(token.start + 6, end)


def instantiations(source: Source, edits: Edits, found: Sequence[Instantiation]) -> None:
    """An explicit instantiation goes: its entry function instantiates the kernel."""
    for instantiation in found:
        first, last = instantiation.span
        edits.blank(source.tokens[first].start, source.tokens[min(last, len(source.tokens) - 1)].end)


def threadgroup_variables(source: Source, edits: Edits, definitions: Sequence[Definition]) -> None:
    """``threadgroup T x[N];`` in a kernel's body becomes ``static``: one memory for the whole threadgroup."""
    for definition in definitions:
        first, last = definition.body
        for i in range(first, last):
            if source.word(i) != "threadgroup" or i - 1 in source.attributes:
                continue
            begin = i
            while source.kind(begin - 1) == WORD and source.word(begin - 1) not in ("else", "do"):
                begin -= 1
            if source.word(begin - 1) in (";", "{", "}", ":", ")") and _declares_variable(source, i + 1):
                edits.insert(source.tokens[begin].start, "static ")
                for k in _declarator_ends(source, i + 1):
                    if source.word(k) == "=":
                        raise Refused(
                            source.tokens[k].start,
                            "a variable in threadgroup address space cannot have an initializer",
                        )
                    edits.insert(source.tokens[k].start, f" {SHARED}")


def _declares_variable(source: Source, i: int) -> bool:
    """Whether the declaration from token ``i`` on makes a variable, not a pointer or a reference to one."""
    while source.word(i) not in (";", "=", "{", "["):
        text = source.word(i)
        if text in ("*", "&", "(", ")", ",", ""):
            return text == ","
        if text == "<" and (closed := source.angle(i)) is not None:
            i = closed
        i += 1
    return True


def _declarator_ends(source: Source, i: int) -> list[int]:
    """Where each variable's declarator ends, in the declaration from token ``i`` on."""
    ends = []
    while source.word(i) not in ("", ";", "="):
        if source.word(i) == "<" and (closed := source.angle(i)) is not None:
            i = closed
        elif source.word(i) in ("(", "[", "{"):
            i = source.partner.get(i, i)
        elif source.word(i) == ",":
            ends.append(i)
        i += 1
    return [*ends, i] if i < len(source.tokens) else ends


def array_parameters(source: Source, edits: Edits) -> None:
    """``constant int64_t strides[2]`` in a parameter list becomes a pointer, which is what it means."""
    for i, token in enumerate(source.tokens):
        if token.text != "[" or i in source.attributes or source.kind(i - 1) != WORD:
            continue
        closed = source.partner.get(i)
        if closed is None or source.word(closed + 1) not in (",", ")"):
            continue
        begin = i - 1
        while source.kind(begin - 1) == WORD or source.word(begin - 1) in ("::", ">", "<"):
            begin -= 1
        if source.word(begin - 1) in ("(", ",") and any(
            source.word(k) in SPACES for k in range(begin, i - 1)
        ):
            edits.insert(source.tokens[i - 1].start, "*")
            edits.blank(token.start, source.tokens[closed].end)


_LITERAL = re.compile(
    r"(?P<value>0[xX][\da-fA-F'.]*[pP][+-]?\d+|(?!0[xX])(?:[\d']*\.[\d']*|[\d']+)(?:[eE][+-]?\d+)?)"
    r"(?P<suffix>|[hH]|[hH][fF]|[bB][fF])\Z"
)


def literals(source: Source, edits: Edits) -> None:
    """``1.5`` is a float in Metal; ``1.5h`` and ``1.5bf``, which C++ has not, become conversions of floats.

    (clang can be told the first, but forgets it inside templates.)
    """
    for token in source.tokens:
        if token.kind != NUMBER or not (m := _LITERAL.match(token.text)):
            continue
        suffix = m["suffix"].lower()
        if suffix:
            type_ = "bfloat" if suffix == "bf" else "half"
            edits.replace(token.start, token.end, f"(({type_}){_floating(m['value'])}f)")
        elif _floating(m["value"]) == m["value"]:
            edits.insert(token.end, "f")


def _floating(digits: str) -> str:
    floating = "." in digits or (set("pP") if digits[:2] in ("0x", "0X") else set("eE")) & set(digits)
    return digits if floating else digits + ".0"


def constructors(source: Source, edits: Edits) -> None:
    """``float4(v.xy, 0)`` becomes ``__simt::make<float4>(v.xy, 0)``, wherever a type may be a vector."""
    aliases = _type_names(source)
    for i, token in enumerate(source.tokens):
        if token.kind != WORD:
            continue
        last = i
        if token.text == "vec" and source.word(i + 1) == "<":
            closed = source.angle(i + 1)
            if closed is None:
                continue
            last = closed
        elif (
            token.text not in aliases
            and token.text not in ("half", "bfloat")
            and not VECTOR.match(token.text)
        ):
            continue
        if source.kind(last + 1) == WORD and source.word(last + 2) == "(":
            _initialisers(source, edits, i, last, aliases)
            continue
        if source.word(last + 1) != "(" or not _is_expression(source, i, last + 1):
            continue
        begin = i - 2 if source.word(i - 1) == "::" and source.word(i - 2) == "metal" else i
        edits.insert(source.tokens[begin].start, "__simt::make<")
        edits.insert(source.tokens[last].end, ">")


def _initialisers(source: Source, edits: Edits, first: int, last: int, aliases: frozenset[str]) -> None:
    """``short2 a(x, y), b(z);`` becomes ``short2 a = __simt::make<short2>(x, y), b = …;``."""
    type_ = source.text[source.tokens[first].start : source.tokens[last].end]
    name = last + 1
    while source.kind(name) == WORD and source.word(name + 1) == "(":
        closed = source.partner.get(name + 1)
        if closed is None or source.word(closed + 1) not in (";", ","):
            return
        if _declares(source, name + 2, closed, aliases):
            return
        edits.insert(source.tokens[name].end, f" = __simt::make<{type_}>")
        if source.word(closed + 1) == ";":
            return
        name = closed + 2


_PARAMETER = re.compile(
    r"(?:const|volatile|typename|bool|u?char|u?short|u?int|u?long|half|bfloat|float|size_t|void)\Z"
)


def _declares(source: Source, i: int, closed: int, aliases: frozenset[str]) -> bool:
    """Whether what stands in parentheses after a name are a function's parameters, or nothing."""
    word = source.word(i)
    if i == closed or word in SPACES or _PARAMETER.match(word):
        return source.word(i + 1) != "("
    return (word in aliases or VECTOR.match(word) is not None) and source.word(i + 1) not in ("(", "{")


def _is_expression(source: Source, i: int, opened: int) -> bool:
    """Whether a type's name at ``i`` followed by ``(`` makes a value, rather than declaring something."""
    before = source.word(i - 1)
    if before in ("operator", "~", "new", ".", "->", "typename", "struct", "class") and before != "typename":
        return False
    if before == "::" and source.word(i - 2) != "metal":
        return False
    closed = source.partner.get(opened)
    if closed is None:
        return False
    inside = source.word(opened + 1)
    if inside in ("*", "&") and source.word(closed + 1) in ("[", "("):
        return False  # float4 (*row)[8]
    # A constructor's own declaration, or a function type.
    return not (inside in SPACES or inside == "const")


def _type_names(source: Source) -> frozenset[str]:
    """Names that may stand for a vector: template type parameters, and aliases of vectors or such names."""
    names: set[str] = set()
    for i, token in enumerate(source.tokens):
        if (
            token.text in ("typename", "class")
            and source.word(i - 1) in ("<", ",")
            and source.word(i + 2) in (",", ">", "=")
        ):
            if source.kind(i + 1) == WORD:
                names.add(source.word(i + 1))
        elif token.text == "using" and source.word(i + 2) == "=":
            if _may_be_vector(source, i + 3, names):
                names.add(source.word(i + 1))
        elif token.text == "typedef":
            end = i
            while source.word(end) not in (";", "{", ""):
                end += 1
            if source.word(end) == ";" and _may_be_vector(source, i + 1, names):
                names.add(source.word(end - 1))
    return frozenset(names)


def _may_be_vector(source: Source, i: int, names: set[str]) -> bool:
    while source.word(i) in ("typename", "const", "metal", "::"):
        i += 1
    text = source.word(i)
    return text in ("vec", "half", "bfloat") or text in names or VECTOR.match(text) is not None


def casts(source: Source, edits: Edits) -> None:
    """``static_cast<half4>(v)`` becomes ``__simt::cast<half4>(v)`` where C++ may have no such conversion."""
    names = _type_names(source)
    for i, token in enumerate(source.tokens):
        if token.text == "static_cast" and source.word(i + 1) == "<":
            closed = source.angle(i + 1)
            if closed is None:
                continue
            inside = [source.word(k) for k in range(i + 2, closed)]
            if "*" in inside or "&" in inside:
                continue
            if any(t in names or t in ("vec", "half", "bfloat") or VECTOR.match(t) for t in inside):
                edits.replace(token.start, token.end, "__simt::cast")


def c_casts(source: Source, edits: Edits) -> None:
    """``(float4)h`` becomes ``__simt::cast<float4>(h)``, for the types that ``casts`` is for."""
    names = _type_names(source)
    cast_ends: set[int] = set()  # the closing brackets of casts, after which another cast may stand
    for i, token in enumerate(source.tokens):
        if token.text != "(":
            continue
        before = source.word(i - 1)
        if before in (")", "]", ">") and i - 1 not in cast_ends:
            continue
        if i > 0 and source.kind(i - 1) == WORD and before not in ("return", "case", "else"):
            continue
        at = i + 1
        while source.word(at) in ("metal", "::", "const"):
            at += 1
        text = source.word(at)
        if not (text in names or text in ("vec", "half", "bfloat") or VECTOR.match(text)):
            continue
        if source.word(at + 1) == "<":
            at = source.angle(at + 1) or at
        if source.word(at + 1) != ")":
            continue
        end = _operand(source, at + 2)
        if end is not None:
            cast_ends.add(at + 1)
            edits.replace(token.start, token.end, "__simt::cast<")
            edits.replace(source.tokens[at + 1].start, source.tokens[at + 1].end, ">(")
            edits.insert(source.tokens[end - 1].end, ")")


def _operand(source: Source, i: int) -> int | None:
    """The index after the operand of a cast that begins at ``i``, or None where no operand begins."""
    while source.word(i) in ("-", "+", "!", "~", "*", "&", "++", "--"):
        i += 1
    if i >= len(source.tokens):
        return None
    if source.word(i) == "(":
        closed = source.partner.get(i)
        if closed is None:
            return None
        following = source.tokens[closed + 1] if closed + 1 < len(source.tokens) else None
        i = closed + 1
        # `(float4)(half4)x`: the operand is a cast too.
        if following is not None and following.kind in (WORD, NUMBER):
            return _operand(source, i)
    elif source.kind(i) in (WORD, NUMBER):
        i += 1
        while source.word(i) == "::":
            i += 2
        if (
            source.word(i) == "<"
            and (closed := source.angle(i)) is not None
            and source.word(closed + 1) == "("
        ):
            i = closed + 1
    else:
        return None
    while True:
        text = source.word(i)
        if text in ("(", "["):
            i = source.partner.get(i, i) + 1
        elif text in (".", "->"):
            i += 2
        elif text in ("++", "--"):
            i += 1
        else:
            return i


def unrolling(source: Source, edits: Edits) -> None:
    """``#pragma unroll(N)``, with its macros expanded, becomes a pragma again."""
    for token in source.tokens:
        if token.text == UNROLL:
            edits.replace(token.start, token.end, "#pragma unroll")


PASSES: tuple[Callable[[Source, Edits], None], ...] = (
    kernel_keywords,
    attributes,
    array_parameters,
    method_spaces,
    copyable,
    literals,
    constructors,
    casts,
    c_casts,
    unrolling,
)


def rewrite(
    source: Source,
    edits: Edits,
    definitions: Sequence[Definition],
    found: Sequence[Instantiation],
    values: Mapping[int | str, Value],
) -> None:
    """Everything above."""
    instantiations(source, edits, found)
    constants.give(source, edits, values)
    for change in PASSES:
        change(source, edits)
    threadgroup_variables(source, edits, definitions)
