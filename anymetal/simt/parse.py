"""Textual LLVM IR to the objects of ``ir``.

Only what clang emits for a kernel, after inlining, is understood; anything else is named in an ``Unsupported`` error
rather than guessed at.
"""

from __future__ import annotations

import re
from typing import Any

from .ir import (
    BFLOAT,
    DOUBLE,
    FLOAT,
    HALF,

    LABEL,
    METADATA,
    VOID,
    Block,
    Constant,
    Function,
    Global,
    GlobalRef,
    Instruction,
    Local,
    Module,
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

_BINARY = set("add sub mul udiv sdiv urem srem shl lshr ashr and or xor fadd fsub fmul fdiv frem".split())
_CASTS = set(
    "trunc zext sext fptrunc fpext fptoui fptosi uitofp sitofp ptrtoint inttoptr bitcast addrspacecast".split()
)
_FLAGS = set(
    "nuw nsw exact disjoint inbounds nneg nusw samesign fast nnan ninf nsz arcp contract afn reassoc "
    "volatile tail musttail notail".split()
)
_FLOATS = {"half": HALF, "bfloat": BFLOAT, "float": FLOAT, "double": DOUBLE}


def _unquote(name: str) -> str:
    """``@"a b"`` and ``@a`` are the same name."""
    return name[2:-1] if name[1:2] == '"' else name[1:]


class _Line:
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
            return Local(_unquote(token), type_)
        if kind == "global":
            return GlobalRef(_unquote(token), type_)
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
        while self.kind() == "word" and self.peek() in (
            "noundef nonnull zeroext signext inreg noalias captures readonly writeonly readnone "
            "align dereferenceable dereferenceable_or_null range nocapture immarg nofpclass returned dead_on_unwind writable"
        ).split():
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


def _instruction(line: _Line) -> Instruction:
    name = None
    if line.kind() == "local" and line.peek(1) == "=":
        name = _unquote(line.next())
        line.next()
    prefix = line.flags()
    op = line.next()
    attributes: dict[str, Any] = {}
    operands: list[Operand] = []
    type_ = VOID
    if op in _BINARY or op == "fneg":
        attributes["flags"] = line.flags()
        type_ = line.type()
        operands.append(line.value(type_))
        if op != "fneg":
            line.expect(",")
            operands.append(line.value(type_))
    elif op in _CASTS:
        attributes["flags"] = line.flags()
        operands.append(line.typed_value())
        line.expect("to")
        type_ = line.type()
    elif op in ("icmp", "fcmp"):
        attributes["flags"] = line.flags()
        attributes["predicate"] = line.next()
        compared = line.type()
        operands.append(line.value(compared))
        line.expect(",")
        operands.append(line.value(compared))
        i1 = int_type(1)
        type_ = vector_type(compared.length, i1) if compared.kind == "vector" else i1
    elif op == "select":
        attributes["flags"] = line.flags()
        operands.append(line.typed_value())
        for _ in range(2):
            line.expect(",")
            operands.append(line.typed_value())
        type_ = operands[1].type
    elif op == "freeze":
        operands.append(line.typed_value())
        type_ = operands[0].type
    elif op == "phi":
        attributes["flags"] = line.flags()
        type_ = line.type()
        sources = []
        while True:
            line.expect("[")
            operands.append(line.value(type_))
            line.expect(",")
            sources.append(_unquote(line.next()))
            line.expect("]")
            if line.peek() != "," or line.peek(1) != "[":
                break
            line.next()
        attributes["sources"] = sources
    elif op == "load":
        attributes["atomic"] = line.accept("atomic")
        attributes["flags"] = line.flags()
        type_ = line.type()
        line.expect(",")
        operands.append(line.typed_value())
        _ordering(line, attributes)
    elif op == "store":
        attributes["atomic"] = line.accept("atomic")
        attributes["flags"] = line.flags()
        operands.append(line.typed_value())
        line.expect(",")
        operands.append(line.typed_value())
        _ordering(line, attributes)
    elif op == "getelementptr":
        attributes["flags"] = line.flags()
        attributes["source"] = line.type()
        while line.accept(",") and line.kind() != "metadata":
            operands.append(line.typed_value())
        type_ = operands[0].type
        if any(o.type.kind == "vector" for o in operands):
            raise Unsupported("a vector of pointers")
    elif op == "call":
        line.flags()
        while line.peek() in ("spir_func", "spir_kernel", "fastcc", "ccc", "noundef", "range", "nonnull", "nofpclass"):
            line.next()
            line.skip_parentheses()
        attributes["flags"] = prefix + line.flags()
        line.parameter_attributes()
        type_ = line.type()
        if line.peek() == "(":
            line.skip_parentheses()
        if line.kind() != "global":
            raise Unsupported(f"a call through a pointer: {line.text.strip()}")
        attributes["callee"] = _unquote(line.next())
        line.expect("(")
        if attributes["callee"].startswith("llvm.dbg."):
            return Instruction("call", name, type_, [], attributes)
        while not line.accept(")"):
            argument = line.type()
            line.parameter_attributes()
            if argument is METADATA:
                raise Unsupported(f"a call of {attributes['callee']}")
            operands.append(line.value(argument))
            line.accept(",")
    elif op == "br":
        if line.accept("label"):
            attributes["targets"] = [_unquote(line.next())]
        else:
            operands.append(line.typed_value())
            targets = []
            for _ in range(2):
                line.expect(",")
                line.expect("label")
                targets.append(_unquote(line.next()))
            attributes["targets"] = targets
    elif op == "ret":
        if not line.accept("void"):
            raise Unsupported("a kernel that returns a value")
    elif op == "unreachable":
        pass
    elif op == "extractelement":
        operands.append(line.typed_value())
        line.expect(",")
        operands.append(line.typed_value())
        type_ = operands[0].type.elements[0]
    elif op == "insertelement":
        for i in range(3):
            if i:
                line.expect(",")
            operands.append(line.typed_value())
        type_ = operands[0].type
    elif op == "shufflevector":
        for i in range(3):
            if i:
                line.expect(",")
            operands.append(line.typed_value())
        type_ = vector_type(operands[2].type.length, operands[0].type.elements[0])
    elif op in ("extractvalue", "insertvalue"):
        operands.append(line.typed_value())
        if op == "insertvalue":
            line.expect(",")
            operands.append(line.typed_value())
        path = []
        while line.accept(",") and line.kind() == "number":
            path.append(int(line.next()))
        attributes["path"] = path
        type_ = operands[0].type
        if op == "extractvalue":
            for index in path:
                type_ = type_.elements[index if type_.kind == "struct" else 0]
    elif op == "alloca":
        attributes["allocated"] = line.type()
        type_ = pointer_type(0)
        while line.accept(","):
            if line.accept("align"):
                attributes["align"] = int(line.next())
            elif line.kind() == "metadata":
                break
            elif line.accept("addrspace"):
                line.skip_parentheses()
            else:
                raise Unsupported("a private array whose size is not constant")
    elif op == "atomicrmw":
        line.flags()
        attributes["operation"] = line.next()
        operands.append(line.typed_value())
        line.expect(",")
        operands.append(line.typed_value())
        type_ = operands[1].type
        _ordering(line, attributes)
    elif op == "cmpxchg":
        attributes["weak"] = line.accept("weak")
        line.flags()
        for i in range(3):
            if i:
                line.expect(",")
            operands.append(line.typed_value())
        type_ = Type("struct", f"{{ {operands[1].type}, i1 }}", elements=(operands[1].type, int_type(1)))
        _ordering(line, attributes)
    elif op == "fence":
        pass
    else:
        raise Unsupported(f"the LLVM instruction {op!r}")
    instruction = Instruction(op, name, type_, operands, attributes)
    while line.at < len(line.tokens):
        if line.next() == "!dbg":
            instruction.debug = int(line.next()[1:])
    return instruction


def _ordering(line: _Line, attributes: dict[str, Any]) -> None:
    while line.at < len(line.tokens) and line.kind() != "metadata":
        token = line.next()
        if token == "align":
            attributes["align"] = int(line.next())
        elif token == "syncscope":
            line.skip_parentheses()


_LABEL_LINE = re.compile(r'^("[^"]*"|[-\w.$]+):')
_GLOBAL_LINE = re.compile(r'^@("[^"]*"|[-\w.$]+) = (.*)$')
_DEFINE_LINE = re.compile(r'^define .*?@("[^"]*"|[-\w.$]+)\((.*)$')


def parse_module(text: str) -> Module:
    """Parse a module; functions with parameters are left out (everything a kernel calls is inlined into it)."""
    structs: dict[str, Type] = {}
    module = Module({}, {})
    lines = iter(text.splitlines())
    for raw in lines:
        if raw.startswith("%") and " = type " in raw:
            name, body = raw.split(" = type ", 1)
            if body.strip() != "opaque":
                structs[name] = _Line(body, structs).type()
        elif match := _GLOBAL_LINE.match(raw):
            variable = _global(match[1].strip('"'), match[2], structs)
            if variable:
                module.globals[variable.name] = variable
        elif match := _DEFINE_LINE.match(raw):
            body_lines = []
            for line in lines:
                if line.startswith("}"):
                    break
                body_lines.append(line)
            if match[2].startswith(")"):
                name = match[1].strip('"')
                module.functions[name] = _function(name, body_lines, structs)
        elif match := re.match(r"^!(\d+) = (.*)$", raw):
            module.metadata[int(match[1])] = match[2]
    return module


def _global(name: str, text: str, structs: dict[str, Type]) -> Global | None:
    """``[internal] [unnamed_addr] [addrspace(n)] global|constant T initialiser, align n``."""
    if name.startswith("llvm."):
        return None
    line = _Line(re.sub(r', (section|comdat|!).*?(?=, align|$)', "", text), structs)
    space = 0
    while not line.accept("global", "constant"):
        if line.accept("addrspace"):
            line.expect("(")
            space = int(line.next())
            line.expect(")")
        elif not line.next():
            return None
    type_ = line.type()
    initialiser = None
    if line.at < len(line.tokens) and line.peek() != ",":
        value = line.value(type_)
        initialiser = value if isinstance(value, Constant) else None
    align = 1
    while line.at < len(line.tokens):
        if line.next() == "align":
            align = int(line.next())
    return Global(name, type_, space, initialiser, text, max(align, type_.align))


def _function(name: str, lines: list[str], structs: dict[str, Type]) -> Function:
    blocks: dict[str, Block] = {}
    current = Block("0")
    joined: list[str] = []
    for raw in lines:
        # A switch spans lines; everything else is one line each.
        if joined or raw.rstrip().endswith("["):
            joined.append(raw)
            if raw.strip().startswith("]"):
                raise Unsupported("a switch that was not lowered")
            continue
        stripped = raw.split(" ; ")[0].rstrip() if ";" in raw else raw.rstrip()
        if not stripped or stripped.startswith(";") or stripped.lstrip().startswith("#dbg"):
            continue
        if (match := _LABEL_LINE.match(stripped)) and not stripped.startswith(" "):
            current = Block(match[1].strip('"'))
            blocks[current.name] = current
            continue
        if not blocks:
            blocks[current.name] = current
        current.instructions.append(_instruction(_Line(stripped, structs)))
    return Function(name, blocks)



