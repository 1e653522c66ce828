"""A widened value: what is written down for one value of the kernel, by its shape.

Uniform values are scalars, linear ones a scalar base (lane 0's value), varying ones vectors of 32, and a
fragment is one row-major 8×8 matrix. A value of vector or struct type is a list of its scalars, each widened.
"""

from __future__ import annotations

from dataclasses import dataclass

from .ir import I1, LANES, Constant, Type, scalars
from .shapes import Pattern, Shape

FULL = "<" + ", ".join(["i1 true"] * LANES) + ">"
NONE = "zeroinitializer"


@dataclass(frozen=True)
class Uniform:
    """The same in every lane: one LLVM operand for each scalar."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Linear:
    """``base`` is lane 0's value. ``exact``: the 32 values, where the shape only holds of lanes that use
    them."""

    base: str
    shape: Shape
    exact: str | None = None


@dataclass(frozen=True)
class Varying:
    """A vector of 32 for each scalar."""

    values: tuple[str, ...]


@dataclass(frozen=True)
class Fragment:
    """An 8×8 matrix, all of it, row by row: one vector of 64."""

    value: str


Value = Uniform | Linear | Varying | Fragment


def wide(type_: Type | str) -> str:
    """``<32 x T>``."""
    return f"<{LANES} x {type_}>"


def literal(pattern: Pattern, type_: Type | str) -> str:
    """A constant vector of integers."""
    if len(set(pattern)) == 1:
        return f"splat ({type_} {_number(pattern[0], type_)})"
    return "<" + ", ".join(f"{type_} {_number(p, type_)}" for p in pattern) + ">"


def _number(value: int, type_: Type | str) -> str:
    return ("true" if value & 1 else "false") if str(type_) == "i1" else str(value)


def indices(pattern: list[int] | tuple[int, ...]) -> str:
    """A shuffle mask; negative numbers are lanes that do not matter."""
    inside = ", ".join("i32 poison" if p < 0 else f"i32 {p}" for p in pattern)
    return f"<{len(pattern)} x i32> <{inside}>"


def constant_scalars(constant: Constant) -> tuple[str, ...]:
    """The LLVM text of each scalar of a constant."""
    if isinstance(constant.value, tuple):
        return tuple(text for part in constant.value for text in constant_scalars(part))
    parts = scalars(constant.type)
    if constant.value in ("undef", "poison"):
        return (constant.value,) * len(parts)
    if constant.type.kind == "ptr":
        return ("null" if constant.value == 0 else str(constant.value),)
    return (scalar_text(constant.value, constant.type),) * len(parts)


def scalar_zero(type_: Type) -> str:
    """Zero, of an integer or floating-point type."""
    return "0" if type_.kind == "int" and type_ != I1 else "false" if type_ == I1 else _FLOAT_ZERO[str(type_)]


_FLOAT_ZERO = {"half": "0xH0000", "bfloat": "0xR0000", "float": "0.000000e+00", "double": "0.000000e+00"}


def scalar_text(value: object, type_: Type) -> str:
    return ("true" if value else "false") if type_ == I1 else str(value)
