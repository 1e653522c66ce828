"""One line of LLVM's text as tokens, and what is made of a few of them: types, constants, operands."""

from __future__ import annotations

import re

from .ir import (
    BFLOAT,
    DOUBLE,
    FLOAT,
    HALF,
    LABEL,
    METADATA,
    VOID,
    Constant,
    GlobalRef,
    Local,
    Operand,
    Type,
    Unsupported,
    int_type,
    layout,
    pointer_type,
    vector_type,
)

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<local>%(?:"[^"]*"|[-\w.$]+))
    | (?P<global>@(?:"[^"]*"|[-\w.$]+))
    | (?P<metadata>![-\w.$]*)
    | (?P<group>\#\d+)
    | (?P<string>c?"[^"]*")
    | (?P<number>-?\d+\.\d+(?:e[+-]?\d+)?|0x[HRKLM]?[0-9A-Fa-f]+|-?\d+)
    | (?P<word>[A-Za-z_$.][-\w.$]*)
    | (?P<punctuation>\.\.\.|[()\[\]{}<>,=*|:])
    )""",
    re.VERBOSE,
)
_FLAGS = set(
    "nuw nsw exact disjoint inbounds nneg nusw samesign fast nnan ninf nsz arcp contract afn reassoc "
    "volatile tail musttail notail".split()
)
_FLOATS = {"half": HALF, "bfloat": BFLOAT, "float": FLOAT, "double": DOUBLE}
# Attributes of parameters and results: nothing here depends on them.
_ATTRIBUTES = set(
    "noundef nonnull zeroext signext inreg noalias captures readonly writeonly readnone align "
    "dereferenceable dereferenceable_or_null "
    "range nocapture immarg nofpclass returned dead_on_unwind writable".split()
)


def unquote(name: str) -> str:
    """``@"a b"`` and ``@a`` are the same name."""
    return name[2:-1] if name[1:2] == '"' else name[1:]


class Line:
    """A cursor over one line's tokens."""

    def __init__(self, text: str, structs: dict[str, Type]) -> None:
        self.text = text
        self.structs = structs
        self.tokens: list[tuple[str, str]] = []
        end = 0
        while match := _TOKEN.match(text, end):
            self.tokens.append((match.lastgroup or "", match.group(match.lastgroup or 0)))
            end = match.end()
        if text[end:].strip():
            raise Unsupported(f"LLVM IR that was not understood: {text.strip()}")
        self.at = 0

    def peek(self, ahead: int = 0) -> str:
        return self.tokens[self.at + ahead][1] if self.at + ahead < len(self.tokens) else ""

    def kind(self) -> str:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else ""

    def next(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def accept(self, *texts: str) -> bool:
        if self.peek() in texts:
            self.at += 1
            return True
        return False

    def expect(self, text: str) -> None:
        if not self.accept(text):
            raise Unsupported(f"LLVM IR that was not understood ({text!r} expected): {self.text.strip()}")

    def skip_parentheses(self) -> None:
        if self.accept("("):
            depth = 1
            while depth:
                token = self.next()
                depth += (token == "(") - (token == ")")
                if not token:
                    raise Unsupported(f"LLVM IR that was not understood: {self.text.strip()}")

    def flags(self) -> list[str]:
        found = []
        while self.peek() in _FLAGS:
            found.append(self.next())
        return found

    def type(self) -> Type:
        kind, token = self.kind(), self.next()
        result: Type
        if kind == "local":
            if token not in self.structs:
                raise Unsupported(f"the type {token}")
            return self.structs[token]
        if token in _FLOATS:
            result = _FLOATS[token]
        elif re.fullmatch(r"i\d+", token):
            result = int_type(int(token[1:]))
        elif token == "ptr":
            space = 0
            if self.accept("addrspace"):
                self.expect("(")
                space = int(self.next())
                self.expect(")")
            result = pointer_type(space)
        elif token == "void":
            result = VOID
        elif token == "label":
            result = LABEL
        elif token == "metadata":
            result = METADATA
        elif token == "<" and self.peek() == "{":
            self.next()
            result = self._struct(packed=True)
            self.expect(">")
        elif token == "<":
            length = int(self.next())
            self.expect("x")
            result = vector_type(length, self.type())
            self.expect(">")
        elif token == "[":
            length = int(self.next())
            self.expect("x")
            element = self.type()
            self.expect("]")
            result = Type("array", f"[{length} x {element}]", length=length, elements=(element,))
        elif token == "{":
            result = self._struct(packed=False)
        else:
            raise Unsupported(f"the type {token!r} in: {self.text.strip()}")
        return result

    def _struct(self, packed: bool) -> Type:
        elements: list[Type] = []
        while not self.accept("}"):
            elements.append(self.type())
            self.accept(",")
        inside = "{ " + ", ".join(str(e) for e in elements) + " }"
        return Type("struct", f"<{inside}>" if packed else inside, elements=tuple(elements), packed=packed)

    def value(self, type_: Type) -> Operand:
        kind, token = self.kind(), self.next()
        if kind == "local":
            return Local(unquote(token), type_)
        if kind == "global":
            return GlobalRef(unquote(token), type_)
        if kind == "number":
            if type_.kind == "int":
                return Constant(type_, int(token, 0) & ((1 << type_.bits) - 1))
            return Constant(type_, token)
        if token in ("true", "false"):
            return Constant(type_, int(token == "true"))
        if token == "null":
            return Constant(type_, 0)
        if token in ("undef", "poison"):
            return Constant(type_, token)
        if token in ("zeroinitializer", "none"):
            return zero(type_)
        if token == "splat":
            self.expect("(")
            element = self.typed_value()
            self.expect(")")
            return Constant(type_, (element,) * type_.length)
        if kind == "string" and token.startswith("c"):
            data = bytes(re.sub(rb"\\([0-9A-F]{2})", lambda m: bytes([int(m[1], 16)]), token[2:-1].encode()))
            return Constant(type_, tuple(Constant(type_.elements[0], b) for b in data))
        if token in ("<", "[", "{"):
            close = {"<": ">", "[": "]", "{": "}"}[token]
            if token == "<" and self.accept("{"):
                close = "}"
            values: list[Operand] = []
            while not self.accept(close):
                values.append(self.typed_value())
                self.accept(",")
            if token == "<" and close == "}":
                self.expect(">")
            return Constant(type_, tuple(values))
        if token == "getelementptr":
            return self._constant_address(type_)
        if token in ("addrspacecast", "inttoptr", "ptrtoint", "bitcast"):
            raise Unsupported(f"a constant {token}")
        raise Unsupported(f"the constant {token!r} in: {self.text.strip()}")

    def _constant_address(self, type_: Type) -> Operand:
        self.flags()
        self.expect("(")
        source = self.type()
        self.expect(",")
        base = self.typed_value()
        offset, current, first = 0, source, True
        while self.accept(","):
            index = self.typed_value()
            if not isinstance(index, Constant) or not isinstance(index.value, int):
                raise Unsupported(f"a constant address in: {self.text.strip()}")
            step = index.value - (1 << 64) if index.value >> 63 else index.value
            if first:
                offset += step * current.size
            elif current.kind == "struct":
                offset += layout(current)[2][step]
                current = current.elements[step]
            else:
                offset += step * current.elements[0].size
                current = current.elements[0]
            first = False
        self.expect(")")
        if not isinstance(base, GlobalRef):
            raise Unsupported(f"a constant address in: {self.text.strip()}")
        return GlobalRef(base.name, type_, base.offset + offset)

    def typed_value(self) -> Operand:
        type_ = self.type()
        self.parameter_attributes()
        return self.value(type_)

    def parameter_attributes(self) -> None:
        while self.kind() == "word" and self.peek() in _ATTRIBUTES:
            word = self.next()
            if word == "align" and self.kind() == "number":
                self.next()
            self.skip_parentheses()


def zero(type_: Type) -> Constant:
    """All bits zero, of any type."""
    if type_.kind == "struct":
        return Constant(type_, tuple(zero(e) for e in type_.elements))
    if type_.is_aggregate:
        return Constant(type_, (zero(type_.elements[0]),) * type_.length)
    return Constant(type_, "0.000000e+00" if type_.kind == "float" else 0)
