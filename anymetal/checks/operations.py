"""What each instruction of a block costs, whenever the block runs."""

from __future__ import annotations

from dataclasses import dataclass

from anymetal.simt import intrinsics
from anymetal.simt.instructions import BINARY
from anymetal.simt.ir import Block, Instruction, Type

from .sites import Place, Places

_TWO = ("llvm.fma.", "llvm.fmuladd.")
_ONE = tuple(
    f"llvm.{name}."
    for name in (
        "sqrt exp exp2 exp10 log log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh pow minnum "
        "maxnum minimum maximum minimumnum maximumnum floor ceil trunc rint round roundeven"
    ).split()
)
_INTEGER = tuple(
    f"llvm.{name}." for name in "umin umax smin smax abs ctpop ctlz cttz fshl fshr bitreverse".split()
)
_CROSS_LANE = ("__simt_shuffle_", "__simt_reduce_", "__simt_scan_", "__simt_ballot")


@dataclass(frozen=True)
class Operations:
    """What the instructions at one place do: ``flops`` and ``integer_ops`` for each lane, the rest once a
    SIMD-group."""

    place: Place
    flops: int = 0
    integer_ops: int = 0
    mma: int = 0
    lane_ops: int = 0
    barriers: int = 0


def operations(block: Block, places: Places) -> tuple[Operations, ...]:
    """The costs of a block's instructions, places in order of appearance."""
    found: dict[Place, list[int]] = {}
    for instruction in block.instructions:
        costs = _costs(instruction)
        if any(costs):
            total = found.setdefault(places.of(instruction), [0] * len(costs))
            for i, cost in enumerate(costs):
                total[i] += cost
    return tuple(Operations(place, *total) for place, total in found.items())


def _length(type_: Type) -> int:
    return type_.length if type_.kind == "vector" else 1


def _element(type_: Type) -> Type:
    return type_.elements[0] if type_.kind == "vector" else type_


def _costs(instruction: Instruction) -> tuple[int, int, int, int, int]:
    op, callee, lanes = instruction.op, instruction.callee, _length(instruction.type)
    if op in BINARY:
        floating = _element(instruction.type).kind == "float"
        return (lanes, 0, 0, 0, 0) if floating else (0, lanes, 0, 0, 0)
    if op == "icmp":
        return 0, lanes, 0, 0, 0
    if op != "call":
        return 0, 0, 0, 0, 0
    if callee.startswith(_TWO):
        return 2 * lanes, 0, 0, 0, 0
    if callee.startswith(_ONE) or not callee.startswith(("llvm.", intrinsics.PREFIX)):
        return lanes, 0, 0, 0, 0
    if callee.startswith(_INTEGER):
        return 0, lanes, 0, 0, 0
    if callee == intrinsics.MMA:
        return 0, 0, 1, 0, 0
    if callee.startswith(_CROSS_LANE):
        return 0, 0, 0, 1, 0
    return 0, 0, 0, 0, int(callee == intrinsics.BARRIER)
