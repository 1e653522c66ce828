"""The values of the source's variables, where a module's debug information has them.

``#dbg_value(T value, !variable, !DIExpression(…), !place)`` says that a variable has this value from here on.
It becomes a call that uses the value, so that every pass keeps it. Only modules with full debug information
have any.
"""

from __future__ import annotations

import re

from .ir import VOID, Constant, Function, Instruction, Local, Type, Unsupported, scalars
from .reader import Line

VARIABLE = "llvm.dbg.value"
_RECORD = re.compile(r"#dbg_value\((.*), !(\d+), !DIExpression\(([^()]*)\), !(\d+)\)$")
# clang gives the address space of every variable, also of those in registers.
_NO_CHANGE = re.compile(r"DW_OP_constu, \d+, DW_OP_swap, DW_OP_xderef(, )?")


def read_variable(text: str, structs: dict[str, Type]) -> Instruction | None:
    """The call for a record; None for pointers, and for values from which a variable would yet have to be
    computed. Attributes: ``variable``, its number in the metadata, and ``fragment``, the offset and size in
    bits where the value is only a part of it."""
    match = _RECORD.match(text)
    if not match or match[1].startswith("!"):
        return None
    pieces = [p for p in _NO_CHANGE.sub("", match[3]).split(", ") if p]
    fragment = None
    if len(pieces) == 3 and pieces[0] == "DW_OP_LLVM_fragment":
        fragment = (int(pieces[1]), int(pieces[2]))
    elif pieces:
        return None
    try:
        value = Line(match[1], structs).typed_value()
    except Unsupported:
        return None
    if any(t.kind not in ("int", "float") for t, _ in scalars(value.type)):
        return None
    attributes = {"callee": VARIABLE, "variable": int(match[2]), "fragment": fragment}
    return Instruction("call", None, VOID, [value], attributes, int(match[4]))


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
