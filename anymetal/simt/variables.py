"""The values of the source's variables, where a module's debug information has them.

``#dbg_value(T value, !variable, !DIExpression(…), !place)`` says that a variable has this value from here on.
It becomes a call that uses the value, so that every pass keeps it. Only modules with full debug information
have any.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Sequence

from .ir import VOID, Constant, Function, Instruction, Local, Type, Unsupported, scalars
from .reader import Line

VARIABLE = "llvm.dbg.value"
_RECORD = re.compile(r"#dbg_value\((.*), !(\d+), !DIExpression\(([^()]*)\), !(\d+)\)$")
# clang gives the address space of every variable, also of those in registers.
_NO_CHANGE = re.compile(r"(DW_OP_constu, \d+|DW_OP_lit\d+), DW_OP_swap, DW_OP_xderef(, )?")


def read_variable(text: str, structs: dict[str, Type]) -> Instruction | None:
    """The call for a record; None for pointers, and for what cannot be followed.

    Attributes: ``variable``, its number in the metadata; ``fragment``, the offset and size in bits where the
    value is only a part of it; ``expression``, how the variable is yet to be computed from the value.
    """
    match = _RECORD.match(text)
    if not match or match[1].startswith("!"):
        return None
    pieces = [p for p in _NO_CHANGE.sub("", match[3]).split(", ") if p]
    fragment = None
    if len(pieces) >= 3 and pieces[-3] == "DW_OP_LLVM_fragment":
        fragment = (int(pieces[-2]), int(pieces[-1]))
        pieces = pieces[:-3]
    try:
        value = Line(match[1], structs).typed_value()
    except Unsupported:
        return None
    if any(t.kind not in ("int", "float") for t, _ in scalars(value.type)):
        return None
    if pieces and (value.type.kind != "int" or evaluate(pieces, 1) is None):
        return None
    attributes = {
        "callee": VARIABLE,
        "variable": int(match[2]),
        "fragment": fragment,
        "expression": tuple(pieces),
    }
    return Instruction("call", None, VOID, [value], attributes, int(match[4]))


_BINARY: dict[str, Callable[[int, int], int]] = {
    "plus": operator.add,
    "minus": operator.sub,
    "mul": operator.mul,
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "shl": lambda a, b: a << (b & 63),
    "shr": lambda a, b: (a & _WORD) >> (b & 63),
    "shra": lambda a, b: a >> (b & 63),
    "eq": operator.eq,
    "ne": operator.ne,
    "lt": operator.lt,
    "le": operator.le,
    "gt": operator.gt,
    "ge": operator.ge,
}
_WORD = (1 << 64) - 1


def evaluate(expression: Sequence[str], value: int) -> int | None:
    """What a DWARF expression makes of a whole number, as a signed number of 64 bits; None for operators that
    are not known here. See the DWARF 5 standard, 2.5, and LLVM's `DIExpression`."""
    stack, rest = [value], iter(expression)
    for name in rest:
        word = name.removeprefix("DW_OP_")
        if word.startswith("lit"):
            stack.append(int(word[3:]))
        elif word in ("constu", "consts"):
            stack.append(int(next(rest)))
        elif word == "plus_uconst":
            stack.append(stack.pop() + int(next(rest)))
        elif word in ("not", "neg"):
            stack.append(~stack.pop() if word == "not" else -stack.pop())
        elif word == "LLVM_convert":
            bits, kind = int(next(rest)), next(rest)
            low = stack.pop() & ((1 << bits) - 1)
            signed = not kind.startswith("DW_ATE_unsigned") and low >> (bits - 1) & 1
            stack.append(low - (1 << bits) if signed else low)
        elif word in _BINARY and len(stack) > 1:
            right, left = stack.pop(), stack.pop()
            stack.append(int(_BINARY[word](left, right)))
        elif word != "stack_value":
            return None
        stack[-1] = (stack[-1] + (1 << 63) & _WORD) - (1 << 63)
    return stack[-1]


def keep_defined(function: Function) -> None:
    """Debug records, unlike instructions, may name values that are only made later: their variables have no
    value yet."""
    variables = [i for _, i in function.instructions() if i.op == "call" and i.callee == VARIABLE]
    if not variables:
        return
    made = {name: {i.name for i in b.instructions if i.name} for name, b in function.blocks.items()}
    everything = set[str | None]().union(*made.values())
    before: dict[str, set[str | None]] = dict.fromkeys(function.blocks, everything)
    before[function.entry.name] = set()
    changed = True
    while changed:
        changed = False
        for name, block in function.blocks.items():
            for successor in block.successors:
                now = before[successor] & (before[name] | made[name])
                if now != before[successor]:
                    before[successor] = now
                    changed = True
    for name, block in function.blocks.items():
        known = set(before[name])
        for instruction in block.instructions:
            value = instruction.operands[0] if instruction.operands else None
            if instruction.callee == VARIABLE and isinstance(value, Local) and value.name not in known:
                instruction.operands = [Constant(value.type, "poison")]
            known.add(instruction.name)
