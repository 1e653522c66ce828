"""The text of clang's module, made into what a back end expects."""

from __future__ import annotations

import re
from collections.abc import Sequence

from anymetal.frontend.source import Refused, Source

_ASSUME = re.compile(r"^ +(?:tail )?call void @llvm\.assume\(.*\n", re.MULTILINE)
_USED = re.compile(r"^@llvm\.(?:compiler\.)?used = .*\n", re.MULTILINE)
_SHARED = re.compile(
    r"^(@\S+) = .*?addrspace\(3\) global (.*) (?:undef|zeroinitializer)(?:, comdat(?:\([^)]*\))?)?,",
    re.MULTILINE,
)
_EXTERNAL = re.compile(r"^(@[\w.$]+) = external .*addrspace\(2\) constant .*\n", re.MULTILINE)
# A variable that lives on, in no address space: what a local `static` makes.
_STATIC = re.compile(r"^(@[\w.$]+) = (?!.*addrspace\()(?!.*\bconstant\b).*\bglobal\b", re.MULTILINE)
_FUNCTION = re.compile(r"^define [^\n]*?@(\"[^\"]*\"|[\w.$]+)\(.*?^}\n", re.MULTILINE | re.DOTALL)
_CALL = re.compile(r"^ .*\bcall\b[^@\n]*?(@\"[^\"]*\"|@[\w.$]+|%[\w.]+)\(", re.MULTILINE)
# What a kernel may still call: a back end's intrinsics, LLVM's, and what math.h takes from C.
_ALLOWED = re.compile(r"@(?:__simt_|llvm\.|(?:acosh|asinh|atanh|nextafter)f$)")
_MANGLED = re.compile(r"@_Z(?:N(?:\d+\w*?)??)?L?(\d+)(\w+)")


def tidy(ir: str, entries: Sequence[str], source: Source) -> str:
    """Only the entries stay defined: all they call is inlined. Assumptions have served and go."""
    keep = set(entries)
    defined = {m[1] for m in _FUNCTION.finditer(ir)}

    def body(m: re.Match[str]) -> str:
        if m[1] not in keep:
            return ""
        for call in _CALL.finditer(m[0]):
            if not _ALLOWED.match(call[1]):
                raise _left(call[1], call[1][1:] in defined, source)
        return m[0]

    for m in _EXTERNAL.finditer(ir):
        if re.search(rf"{re.escape(m[1])}\b(?! = )", ir):
            name = _name(m[1])
            raise Refused(_place(source, name), f"function constant '{name}' is used but has no value")
    ir = _EXTERNAL.sub("", ir)
    if static := _STATIC.search(ir):
        name = _name(static[1])
        raise Refused(_place(source, name), f"static variable '{name}' must reside in constant address space")
    ir = _USED.sub("", _ASSUME.sub("", _FUNCTION.sub(body, ir)))
    return _SHARED.sub(r"\1 = internal addrspace(3) global \2 zeroinitializer,", ir)


def _name(symbol: str) -> str:
    """The last name in a mangled symbol, as near as it can be read."""
    if m := re.search(r"E(\d+)(\w+)$", symbol):  # a function's own variable
        return m[2][: int(m[1])]
    m = _MANGLED.match(symbol)
    return m[2][: int(m[1])] if m else symbol[1:]


def _place(source: Source, name: str) -> int:
    return next((t.start for t in source.tokens if t.text == name), -1)


def _is_pointer(source: Source, i: int) -> bool:
    """Whether ``(*name)(`` begins at token ``i``."""
    return [source.word(i + k) for k in (0, 1, 3, 4)] == ["(", "*", ")", "("]


def _left(callee: str, defined: bool, source: Source) -> Refused:
    """Why a call is still there after inlining."""
    if callee.startswith("%"):
        at = next((t.start for i, t in enumerate(source.tokens) if _is_pointer(source, i)), -1)
        return Refused(
            at, "function pointers are not supported: which function is called must be known when compiling"
        )
    name = _name(callee)
    at = next(
        (t.start for i, t in enumerate(source.tokens) if t.text == name and source.word(i + 1) == "("), -1
    )
    if defined:
        return Refused(at, f"recursion is not supported in Metal: '{name}' calls itself")
    return Refused(at, f"'{name}' is declared but not defined")
