"""What the lowering functions write with: fresh names, operands in the form they need, and the mask of the
moment."""

from __future__ import annotations

from collections.abc import Callable

from . import matrix
from .copies import Run
from .divergence import shape_of
from .ir import I1, I64, LANES, Constant, GlobalRef, Instruction, Local, Module, Operand, Type, scalars
from .layouts import Layout
from .monitor import Monitor
from .private import PrivateMemory
from .shapes import ZERO, Shape
from .streams import Step
from .values import (
    FULL,
    Fragment,
    Linear,
    Uniform,
    Value,
    Varying,
    constant_scalars,
    literal,
    scalar_zero,
    wide,
)


class Body:
    """Code of one SIMD-group function, growing line by line.

    ``mask`` is the vector of active lanes, or None where all 32 are. ``values`` holds what the current block
    has at hand; what it lacks is fetched from other blocks through ``fetch``.
    """

    def __init__(
        self,
        module: Module,
        shapes: dict[str, Shape],
        layout: Layout,
        private: PrivateMemory,
        fetch: Callable[[str], Value],
    ) -> None:
        self.module, self.shapes, self.layout, self.private = module, shapes, layout, private
        self.fetch = fetch
        self.monitor: Monitor | None = None
        self.streams: dict[int, Step] = {}
        # By `id`: the instruction that is made together with this one (see `pairs`), and what it then is.
        self.pairs: dict[int, Instruction] = {}
        self.copies: dict[int, Run] = {}
        self.made: dict[int, Value] = {}
        # What 8×8 matrices of this block also are: made of two vectors of lanes, in memory, side by side.
        self.matrices: dict[tuple[str, ...], str] = {}
        self.in_memory: dict[str, str] = {}
        self.rows: dict[tuple[str, ...], list[str]] = {}
        self.lines: list[str] = []
        self.prologue: list[str] = []
        self.values: dict[str, Value] = {}
        self.mask: str | None = None
        self.declared: dict[str, str] = {}
        self.constants: set[str] = set()
        self.symbol_types: dict[str, Type] = {}
        self.threadgroup_offsets: dict[str, int] = {}
        self._once: dict[str, str] = {}
        self._count = 0

    def begin(self, mask: str | None) -> None:
        """A block begins: nothing is at hand but what other blocks have left."""
        self.values, self.mask = {}, mask
        self.matrices, self.in_memory, self.rows = {}, {}, {}

    # -- writing -----------------------------------------------------------------------------------------

    def fresh(self, stem: str = "v") -> str:
        self._count += 1
        return f"{stem}.{self._count}"

    def emit(self, text: str) -> str:
        """Write ``%new = text`` and return ``%new``."""
        name = "%" + self.fresh()
        self.lines.append(f"  {name} = {text}")
        return name

    def do(self, text: str) -> None:
        self.lines.append(f"  {text}")

    def label(self, name: str) -> None:
        self.lines.append(f"{name}:")

    def once(self, text: str) -> str:
        """Write ``text`` in the function's entry, the first time it is asked for."""
        if text not in self._once:
            name = "%" + self.fresh("p")
            self.prologue.append(f"  {name} = {text}")
            self._once[text] = name
        return self._once[text]

    def scratch(self, type_: str) -> str:
        """A piece of the stack for a moment's use."""
        name = "%" + self.fresh("stack")
        self.prologue.append(f"  {name} = alloca {type_}, align 64")
        return name

    def call(self, result: str, name: str, arguments: list[tuple[str, str]]) -> str:
        """Write a call of an intrinsic or library function, declaring it once."""
        types = ", ".join(t for t, _ in arguments)
        self.declared[name] = f"declare {result} @{name}({types})"
        given = ", ".join(f"{t} {v}" for t, v in arguments)
        if result == "void":
            self.do(f"call void @{name}({given})")
            return ""
        return self.emit(f"call {result} @{name}({given})")

    # -- operands ----------------------------------------------------------------------------------------

    def shape(self, operand: Operand) -> Shape:
        return shape_of(operand, self.shapes)

    def get(self, operand: Operand) -> Value:
        """An operand in the form its shape gives it."""
        if isinstance(operand, Constant):
            texts = constant_scalars(operand)
            if self.monitor is not None:
                # What means nothing is zero where it is watched: LLVM may not make two things of one value.
                zeros = ("null" if t.kind == "ptr" else scalar_zero(t) for t in self.types(operand))
                texts = tuple(z if v in ("undef", "poison") else v for v, z in zip(texts, zeros, strict=True))
            return Uniform(texts)
        if isinstance(operand, GlobalRef):
            return Uniform((self._global(operand),))
        assert isinstance(operand, Local)
        if operand.name not in self.values:
            self.values[operand.name] = self.fetch(operand.name)
        return self.values[operand.name]

    def scalars(self, operand: Operand) -> tuple[str, ...]:
        """Each scalar of a uniform operand; of a linear one, its base."""
        value = self.get(operand)
        if isinstance(value, Uniform):
            return value.values
        if isinstance(value, Linear):
            return (value.base,)
        raise AssertionError(f"{operand} is not uniform")

    def scalar(self, operand: Operand) -> str:
        return self.scalars(operand)[0]

    def vectors(self, operand: Operand) -> tuple[str, ...]:
        """Each scalar of an operand as a vector of 32."""
        value = self.get(operand)
        result = self.widen(value, self.types(operand))
        return result

    def vector(self, operand: Operand) -> str:
        return self.vectors(operand)[0]

    def types(self, operand: Operand) -> tuple[Type, ...]:
        """The types of an operand's scalars. Pointers into private memory are offsets, kept as i64."""
        if self.private.region(operand) is not None:
            return (I64,)
        return tuple(t for t, _ in scalars(operand.type))

    def result_types(self, instruction: Instruction) -> tuple[Type, ...]:
        if instruction.name in self.private.regions:
            return (I64,)
        return tuple(t for t, _ in scalars(instruction.type))

    def widen(self, value: Value, types: tuple[Type, ...]) -> tuple[str, ...]:
        """Any value as vectors of 32."""
        if isinstance(value, Varying):
            return value.values
        if isinstance(value, Uniform):
            return tuple(self.splat(v, t) for v, t in zip(value.values, types, strict=True))
        if isinstance(value, Fragment):
            return matrix.to_lanes(self, value.value, types[0])
        return (self.materialise(value, types[0]),)

    def materialise(self, value: Linear, type_: Type) -> str:
        """The 32 values of a linear one."""
        if value.exact is not None:
            return value.exact
        shape = value.shape
        if type_.kind == "ptr":
            return self.emit(
                f"getelementptr i8, ptr {value.base}, {wide(I64)} {self.lane_offsets(shape, I64)}"
            )
        if shape.known is not None:
            return literal(shape.known, type_)
        return self.emit(
            f"add {wide(type_)} {self.splat(value.base, type_)}, {self.lane_offsets(shape, type_)}"
        )

    def lane_offsets(self, shape: Shape, type_: Type) -> str:
        """``pattern + Σ symbol · term``: what each lane adds to the base."""
        total = literal(shape.pattern, type_)
        for symbol, pattern in shape.terms:
            factor = self.splat(self.symbol(symbol, type_), type_)
            product = self.emit(f"mul {wide(type_)} {factor}, {literal(pattern, type_)}")
            total = (
                product
                if shape.pattern == ZERO and total.startswith("splat")
                else self.emit(f"add {wide(type_)} {total}, {product}")
            )
        return total

    def symbol(self, symbol: tuple[tuple[str, str], ...], type_: Type) -> str:
        """A product of uniform values, at the width asked for."""
        total = ""
        for name, step in symbol:
            home = self.symbol_types[name]
            factor = self.scalar(Local(name, home))
            if step and home.bits < type_.bits:
                factor = self.emit(f"{step} {home} {factor} to {type_}")
            total = self.emit(f"mul {type_} {total}, {factor}") if total else factor
        return total

    def splat(self, scalar: str, type_: Type) -> str:
        """A scalar in every lane."""
        if scalar in ("undef", "poison"):
            return scalar
        if not scalar.startswith(("%", "@")):
            return f"splat ({type_} {scalar})" if scalar != "null" else "zeroinitializer"
        first = self.emit(f"insertelement {wide(type_)} poison, {type_} {scalar}, i64 0")
        return self.emit(
            f"shufflevector {wide(type_)} {first}, {wide(type_)} poison, {wide('i32')} zeroinitializer"
        )

    def pick(self, vector: str, type_: Type, lane: str) -> str:
        return self.emit(f"extractelement {wide(type_)} {vector}, i32 {lane}")

    def lane_zero(self, operand: Operand) -> str:
        """One lane's value, of an operand that ought to be the same in all: lane 0's, or the first active
        lane's."""
        value = self.get(operand)
        if isinstance(value, Uniform | Linear):
            return self.scalar(operand)
        lane = "0"
        if self.mask is not None:
            lane = self.call("i32", "llvm.cttz.i32", [("i32", self.mask_bits()), ("i1", "true")])
        return self.pick(self.vector(operand), self.types(operand)[0], lane)

    def active(self) -> str:
        """The mask as a vector, whether or not all lanes are active."""
        return self.mask or FULL

    def mask_bits(self) -> str:
        """The mask as an i32."""
        return self.emit(f"bitcast {wide(I1)} {self.mask} to i32") if self.mask else "-1"

    def keep_active(self, vector: str, type_: Type, neutral: str) -> str:
        """``vector`` with ``neutral`` in the lanes that are not active."""
        if self.mask is None:
            return vector
        other = self.splat(neutral, type_)
        return self.emit(f"select {wide(I1)} {self.mask}, {wide(type_)} {vector}, {wide(type_)} {other}")

    def last_active(self) -> str:
        """The index of the highest active lane (the one whose write is last)."""
        if self.mask is None:
            return str(LANES - 1)
        zeros = self.call("i32", "llvm.ctlz.i32", [("i32", self.mask_bits()), ("i1", "true")])
        return self.emit(f"sub i32 {LANES - 1}, {zeros}")

    # -- addresses ---------------------------------------------------------------------------------------

    def _global(self, reference: GlobalRef) -> str:
        variable = self.module.globals[reference.name]
        if variable.address_space == 3:
            offset = self.threadgroup_offsets[reference.name] + reference.offset
            return self.once(f"getelementptr i8, ptr %threadgroup, i64 {offset}")
        self.constants.add(reference.name)
        return self.once(f'getelementptr i8, ptr @"{reference.name}", i64 {reference.offset}')

    def offset(self, pointer: str, by: int | str) -> str:
        """``pointer + by`` bytes."""
        return pointer if by == 0 else self.emit(f"getelementptr i8, ptr {pointer}, i64 {by}")

    def launch_word(self, index: int, type_: str = "i32") -> str:
        """A word of the launch block (an i64, or the pointer kept there)."""
        place = self.once(f"getelementptr i64, ptr %launch, i64 {index}")
        if type_ == "ptr":
            return self.once(f"load ptr, ptr {place}, align 8, !invariant.load !0")
        word = self.once(f"load i64, ptr {place}, align 8, !invariant.load !0")
        return word if type_ == "i64" else self.once(f"trunc i64 {word} to i32")
