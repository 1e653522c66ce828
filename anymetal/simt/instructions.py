"""One line of LLVM's text to an ``Instruction``: a small reader for each kind."""

from __future__ import annotations

from collections.abc import Callable

from .ir import I1, VOID, Instruction, Operand, Type, Unsupported, pointer_type, vector_type
from .reader import Line, unquote

BINARY = frozenset(
    "add sub mul udiv sdiv urem srem shl lshr ashr and or xor fadd fsub fmul fdiv frem".split()
)
CASTS = frozenset(
    "trunc zext sext fptrunc fpext fptoui fptosi uitofp sitofp "
    "ptrtoint inttoptr bitcast addrspacecast".split()
)


def read_instruction(line: Line) -> Instruction:
    """``%name = op …``. Raises ``Unsupported`` for an instruction that no kernel should hold."""
    name = None
    if line.kind() == "local" and line.peek(1) == "=":
        name = unquote(line.next())
        line.next()
    prefix = line.flags()
    op = line.next()
    reader = _READERS.get(op)
    if reader is None:
        raise Unsupported(f"the LLVM instruction {op!r}")
    instruction = Instruction(op, name, VOID, [], {"flags": prefix})
    reader(line, instruction)
    while line.at < len(line.tokens):
        word = line.next()
        if word == "!dbg":
            instruction.debug = int(line.next()[1:])
        elif word == "!llvm.loop":
            instruction.attributes["loop"] = int(line.next()[1:])
    return instruction


def _typed(line: Line, count: int) -> list[Operand]:
    """``T a, T b, …``"""
    operands = []
    for position in range(count):
        if position:
            line.expect(",")
        operands.append(line.typed_value())
    return operands


def _same_type(line: Line, count: int) -> list[Operand]:
    """``T a, b, …``"""
    type_ = line.type()
    operands = []
    for position in range(count):
        if position:
            line.expect(",")
        operands.append(line.value(type_))
    return operands


def _ordering(line: Line, i: Instruction) -> None:
    """What follows a memory access: scope, ordering and alignment."""
    while line.at < len(line.tokens) and line.kind() != "metadata":
        token = line.next()
        if token == "align":
            i.attributes["align"] = int(line.next())
        elif token == "syncscope":
            line.skip_parentheses()


def _arithmetic(line: Line, i: Instruction) -> None:
    i.attributes["flags"] = line.flags()
    i.operands = _same_type(line, 1 if i.op == "fneg" else 2)
    i.type = i.operands[0].type


def _cast(line: Line, i: Instruction) -> None:
    i.attributes["flags"] = line.flags()
    i.operands = _typed(line, 1)
    line.expect("to")
    i.type = line.type()


def _compare(line: Line, i: Instruction) -> None:
    i.attributes["flags"] = line.flags()
    i.attributes["predicate"] = line.next()
    i.operands = _same_type(line, 2)
    compared = i.operands[0].type
    i.type = vector_type(compared.length, I1) if compared.kind == "vector" else I1


def _select(line: Line, i: Instruction) -> None:
    i.attributes["flags"] = line.flags()
    i.operands = _typed(line, 3)
    i.type = i.operands[1].type


def _freeze(line: Line, i: Instruction) -> None:
    i.operands = _typed(line, 1)
    i.type = i.operands[0].type


def _phi(line: Line, i: Instruction) -> None:
    i.attributes["flags"] = line.flags()
    i.type = line.type()
    sources = i.attributes["sources"] = []
    while True:
        line.expect("[")
        i.operands.append(line.value(i.type))
        line.expect(",")
        sources.append(unquote(line.next()))
        line.expect("]")
        if line.peek() != "," or line.peek(1) != "[":
            return
        line.next()


def _load(line: Line, i: Instruction) -> None:
    i.attributes["atomic"] = line.accept("atomic")
    i.attributes["flags"] = line.flags()
    i.type = line.type()
    line.expect(",")
    i.operands = _typed(line, 1)
    _ordering(line, i)


def _store(line: Line, i: Instruction) -> None:
    i.attributes["atomic"] = line.accept("atomic")
    i.attributes["flags"] = line.flags()
    i.operands = _typed(line, 2)
    _ordering(line, i)


def _address(line: Line, i: Instruction) -> None:
    i.attributes["flags"] = line.flags()
    i.attributes["source"] = line.type()
    while line.accept(",") and line.kind() != "metadata":
        i.operands.append(line.typed_value())
    i.type = i.operands[0].type
    if any(o.type.kind == "vector" for o in i.operands):
        raise Unsupported("a vector of pointers")


def _call(line: Line, i: Instruction) -> None:
    i.attributes["flags"] += line.flags()
    while line.peek() in ("spir_func", "spir_kernel", "fastcc", "ccc"):
        line.next()
    line.parameter_attributes()
    i.type = line.type()
    line.skip_parentheses()
    if line.kind() != "global":
        raise Unsupported(f"a call through a pointer: {line.text.strip()}")
    i.attributes["callee"] = unquote(line.next())
    line.expect("(")
    while not line.accept(")"):
        argument = line.type()
        line.parameter_attributes()
        if argument.kind == "metadata" and i.callee == "llvm.experimental.noalias.scope.decl":
            line.next()  # what a compiler may assume of pointers; nothing happens here
            continue
        if argument.kind == "metadata":
            raise Unsupported(f"a call of {i.callee}")
        i.operands.append(line.value(argument))
        line.accept(",")


def _branch(line: Line, i: Instruction) -> None:
    targets = i.attributes["targets"] = []
    if not line.accept("label"):
        i.operands = _typed(line, 1)
        line.expect(",")
        line.expect("label")
    targets.append(unquote(line.next()))
    if line.accept(",") and line.accept("label"):
        targets.append(unquote(line.next()))


def _return(line: Line, i: Instruction) -> None:
    if not line.accept("void"):
        raise Unsupported("a kernel that returns a value")


def _nothing(line: Line, i: Instruction) -> None:
    """unreachable and fence have no operands that matter."""


def _element(line: Line, i: Instruction) -> None:
    i.operands = _typed(line, 2 if i.op == "extractelement" else 3)
    whole = i.operands[0].type
    if i.op == "extractelement":
        i.type = whole.elements[0]
    elif i.op == "insertelement":
        i.type = whole
    else:
        i.type = vector_type(i.operands[2].type.length, whole.elements[0])


def _value(line: Line, i: Instruction) -> None:
    i.operands = _typed(line, 1 if i.op == "extractvalue" else 2)
    path = i.attributes["path"] = []
    while line.accept(",") and line.kind() == "number":
        path.append(int(line.next()))
    i.type = i.operands[0].type
    if i.op == "extractvalue":
        for index in path:
            i.type = i.type.elements[index if i.type.kind == "struct" else 0]


def _alloca(line: Line, i: Instruction) -> None:
    i.attributes["allocated"] = line.type()
    i.type = pointer_type(0)
    while line.accept(",") and line.kind() != "metadata":
        if line.accept("align"):
            i.attributes["align"] = int(line.next())
        else:
            raise Unsupported("a private array whose size is not constant")


def _read_modify_write(line: Line, i: Instruction) -> None:
    i.attributes["flags"] += line.flags()
    i.attributes["operation"] = line.next()
    i.operands = _typed(line, 2)
    i.type = i.operands[1].type
    _ordering(line, i)


def _compare_exchange(line: Line, i: Instruction) -> None:
    i.attributes["weak"] = line.accept("weak")
    i.attributes["flags"] += line.flags()
    i.operands = _typed(line, 3)
    held = i.operands[1].type
    i.type = Type("struct", f"{{ {held}, i1 }}", elements=(held, I1))
    _ordering(line, i)


_READERS: dict[str, Callable[[Line, Instruction], None]] = {
    **dict.fromkeys([*BINARY, "fneg"], _arithmetic),
    **dict.fromkeys(CASTS, _cast),
    **dict.fromkeys(["icmp", "fcmp"], _compare),
    **dict.fromkeys(["extractelement", "insertelement", "shufflevector"], _element),
    **dict.fromkeys(["extractvalue", "insertvalue"], _value),
    **dict.fromkeys(["unreachable", "fence"], _nothing),
    "select": _select,
    "freeze": _freeze,
    "phi": _phi,
    "load": _load,
    "store": _store,
    "getelementptr": _address,
    "call": _call,
    "br": _branch,
    "ret": _return,
    "alloca": _alloca,
    "atomicrmw": _read_modify_write,
    "cmpxchg": _compare_exchange,
}
