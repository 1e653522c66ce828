"""Addresses made again where they are used, instead of waiting between blocks.

LLVM computes an address once, in a block that dominates its uses. For one thread that is a register; for 32
lanes it is a slot of 256 bytes, and a phi in every block on the way. Adding a constant again costs nothing.
"""

from __future__ import annotations

from .ir import Block, Constant, Function, Instruction, Local, Operand


def rematerialise(function: Function) -> None:
    """Clone each ``getelementptr`` with constant indices into the other blocks that use it, in place."""
    homes = {i.name: (block.name, i) for block, i in function.instructions() if i.name and _is_cheap(i)}
    for block in function.blocks.values():
        _block(block, homes)


def _is_cheap(instruction: Instruction) -> bool:
    return (
        instruction.op == "getelementptr"
        and instruction.type.kind == "ptr"
        and all(isinstance(o, Constant) for o in instruction.operands[1:])
    )


def _block(block: Block, homes: dict[str, tuple[str, Instruction]]) -> None:
    made: dict[str, str] = {}
    out: list[Instruction] = []

    def here(operand: Operand) -> Operand:
        if not isinstance(operand, Local) or operand.name not in homes:
            return operand
        home, original = homes[operand.name]
        if home == block.name:
            return operand
        if operand.name not in made:
            operands = [here(original.operands[0]), *original.operands[1:]]
            made[operand.name] = name = f"{operand.name}.in.{block.name}"
            out.append(
                Instruction(
                    original.op, name, original.type, operands, dict(original.attributes), original.debug
                )
            )
        return Local(made[operand.name], operand.type)

    for instruction in block.instructions:
        if instruction.op != "phi":  # what a phi takes, its predecessors hold ready
            instruction.operands = [here(o) for o in instruction.operands]
        out.append(instruction)
    block.instructions = out
