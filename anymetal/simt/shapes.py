"""What is known of a value across the 32 lanes, before any code is written.

``linear`` says that lane ``i`` holds ``base + pattern[i] + Σ symbol · term[i]``, where the base and the
symbols are the same in every lane and the patterns are known now. It covers uniform values (no pattern),
consecutive and strided lanes, and periodic ones such as ``lane % 8 * 4``. The base is lane 0's value:
patterns start with 0.

``fragment`` is a lane's share of an 8×8 matrix, kept as one 64-element row-major vector.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass, replace

from .ir import LANES

Pattern = tuple[int, ...]
# A product of uniform values: pairs of a value's name and how it is brought to the width at hand.
Symbol = tuple[tuple[str, str], ...]

ZERO: Pattern = (0,) * LANES
LANE: Pattern = tuple(range(LANES))
MAX_TERMS = 3
_MAX_ALIGN = 1 << 16


@dataclass(frozen=True)
class Shape:
    """See the module's docstring.

    ``constant``: the base, where it is known now. ``align``: a power of two that divides the base.
    ``assumed``: true of lanes that use the value as an address (a 32-bit index was widened, and may have
    wrapped in lanes that do not). ``limit``: every lane's value, active or not, is known to be at least 0 and
    below this.
    """

    kind: str
    pattern: Pattern = ZERO
    terms: tuple[tuple[Symbol, Pattern], ...] = ()
    constant: int | None = None
    align: int = 1
    assumed: bool = False
    limit: int | None = None

    @property
    def uniform(self) -> bool:
        return self.kind == "linear" and self.pattern == ZERO and not self.terms

    @property
    def linear(self) -> bool:
        return self.kind == "linear"

    @property
    def known(self) -> Pattern | None:
        """All 32 values, where they are known now."""
        if self.kind != "linear" or self.constant is None or self.terms:
            return None
        return tuple(self.constant + p for p in self.pattern)


VARYING = Shape("varying")
FRAGMENT = Shape("fragment")
UNIFORM = Shape("linear")


def constant(value: int) -> Shape:
    """The shape of an integer constant."""
    return Shape("linear", constant=value, align=_alignment(value), limit=value + 1 if value >= 0 else None)


def known(values: Pattern) -> Shape:
    """The shape of 32 integers that are known now."""
    base = values[0]
    limit = max(values) + 1 if min(values) >= 0 else None
    return Shape(
        "linear", tuple(v - base for v in values), constant=base, align=_alignment(base), limit=limit
    )


def _alignment(value: int) -> int:
    return min(value & -value, _MAX_ALIGN) if value else _MAX_ALIGN


def signed(value: int, bits: int) -> int:
    """``value`` modulo 2**bits, as a two's complement number."""
    value &= (1 << bits) - 1
    return value - (1 << bits) if value >> (bits - 1) else value


def merge(a: Shape | None, b: Shape | None) -> Shape | None:
    """What is true of a value that is either ``a`` or ``b`` in all lanes at once. None is "not known yet"."""
    if a is None or b is None:
        return a or b
    if a == b:
        return a
    if a.kind == b.kind == "linear" and a.pattern == b.pattern and a.terms == b.terms:
        same = a.constant if a.constant == b.constant else None
        # A limit that grows in a loop would grow for ever: phis keep one only where both agree.
        limit = a.limit if a.limit == b.limit else None
        return replace(
            a, constant=same, align=min(a.align, b.align), assumed=a.assumed or b.assumed, limit=limit
        )
    if "fragment" in (a.kind, b.kind) and (a.uniform or b.uniform):
        return FRAGMENT
    return VARYING


def _combine(a: Shape, b: Shape, sign: int) -> Shape:
    terms: dict[Symbol, Pattern] = dict(a.terms)
    for symbol, pattern in b.terms:
        terms[symbol] = tuple(x + sign * y for x, y in zip(terms.get(symbol, ZERO), pattern, strict=True))
    kept = tuple(sorted((s, p) for s, p in terms.items() if p != ZERO))
    if len(kept) > MAX_TERMS:
        return VARYING
    base = a.constant + sign * b.constant if a.constant is not None and b.constant is not None else None
    pattern = tuple(x + sign * y for x, y in zip(a.pattern, b.pattern, strict=True))
    if (a.assumed or b.assumed) and pattern == ZERO and not kept:
        # Two indices that may wrap in different lanes: their distance is not the same in all of them, and a
        # branch may hang on it.
        return VARYING
    align = _alignment(base) if base is not None else min(a.align, b.align)
    limit = None
    if sign > 0 and a.limit is not None and b.limit is not None:
        limit = a.limit + b.limit - 1
    return Shape("linear", pattern, kept, base, align, a.assumed or b.assumed, limit)


def add(a: Shape, b: Shape, bits: int) -> Shape:
    return _wrapped(_combine(a, b, 1), bits)


def sub(a: Shape, b: Shape, bits: int) -> Shape:
    return _wrapped(_combine(a, b, -1), bits)


def scale(a: Shape, factor: int, bits: int) -> Shape:
    """``a`` times a constant."""
    factor = signed(factor, bits)
    base = a.constant * factor if a.constant is not None else None
    align = min(a.align * _alignment(factor), _MAX_ALIGN) if factor else _MAX_ALIGN
    terms = tuple((s, tuple(x * factor for x in p)) for s, p in a.terms) if factor else ()
    limit = (a.limit - 1) * factor + 1 if a.limit is not None and factor >= 0 else None
    pattern = tuple(x * factor for x in a.pattern)
    return _wrapped(Shape("linear", pattern, terms, base, align, a.assumed, limit), bits)


def multiply(a: Shape, b: Shape, a_name: str, b_name: str, bits: int) -> Shape:
    """``a · b``; names are those of the operands, for a uniform factor that is not a constant."""
    if not (a.linear and b.linear):
        return VARYING
    if a.constant is not None and a.uniform:
        return scale(b, a.constant, bits)
    if b.constant is not None and b.uniform:
        return scale(a, b.constant, bits)
    if a.uniform and b.uniform:
        limit = (a.limit - 1) * (b.limit - 1) + 1 if a.limit and b.limit else None
        return _wrapped(Shape("linear", align=min(a.align * b.align, _MAX_ALIGN), limit=limit), bits)
    if (both := _fold(operator.mul, a, b, bits)) is not None:
        return both
    if a.uniform:
        a, b, b_name = b, a, a_name
    if not b.uniform or not b_name:
        return VARYING
    terms = [(tuple(sorted((*s, (b_name, "")))), p) for s, p in a.terms]
    if a.pattern != ZERO:
        terms.append((((b_name, ""),), a.pattern))
    if len(terms) > MAX_TERMS:
        return VARYING
    return Shape("linear", ZERO, tuple(sorted(terms)), None, min(a.align * b.align, _MAX_ALIGN), a.assumed)


def _wrapped(shape: Shape, bits: int) -> Shape:
    """Patterns and known bases are kept as small signed numbers of the value's width."""
    if not shape.linear:
        return shape
    base = None if shape.constant is None else shape.constant & ((1 << bits) - 1)
    limit = shape.limit if shape.limit is not None and shape.limit <= 1 << (bits - 1) else None
    return replace(shape, pattern=tuple(signed(p, bits) for p in shape.pattern), constant=base, limit=limit)


def _fold(op: Callable[[int, int], int], a: Shape, b: Shape, bits: int) -> Shape | None:
    left, right = a.known, b.known
    if left is None or right is None:
        return None
    mask = (1 << bits) - 1
    return known(tuple(op(x & mask, y & mask) & mask for x, y in zip(left, right, strict=True)))


_FOLDABLE: dict[str, Callable[[int, int], int]] = {
    "and": operator.and_,
    "or": operator.or_,
    "xor": operator.xor,
    "udiv": lambda x, y: x // y if y else 0,
    "urem": lambda x, y: x % y if y else 0,
    "lshr": lambda x, y: x >> y if y < 64 else 0,
    "shl": lambda x, y: x << y if y < 64 else 0,
    "llvm.umin": min,
    "llvm.umax": max,
}


def bitwise(op: str, a: Shape, b: Shape, bits: int) -> Shape:
    """``and or xor udiv urem lshr shl umin umax``: known lanes are folded, low bits of an aligned base are
    known lanes."""
    if not (a.linear and b.linear):
        return VARYING
    if a.uniform and b.uniform and (a.constant is None or b.constant is None):
        return replace(UNIFORM, limit=_limit(op, a, b))
    if op in _FOLDABLE and (folded := _fold(_FOLDABLE[op], a, b, bits)) is not None:
        return folded
    if b.constant is None or not b.uniform or a.terms or min(a.pattern) < 0:
        return VARYING
    value = b.constant
    # With base a multiple of `align` and 0 <= pattern < align, the pattern holds the low bits and nothing
    # carries.
    if max(a.pattern) >= a.align:
        return VARYING
    if op == "and" and value < a.align:
        return known(tuple(p & value for p in a.pattern))
    if op == "and" and value ^ ((1 << bits) - 1) < a.align:
        return replace(a, constant=None, pattern=tuple(p & value for p in a.pattern))
    if op == "xor" and value < a.align:
        flipped = tuple(p ^ value for p in a.pattern)
        return replace(a, pattern=flipped, align=1, limit=None) if flipped[0] == 0 else VARYING
    if op == "urem" and value and value & (value - 1) == 0 and value <= a.align:
        return known(tuple(p % value for p in a.pattern))
    if op == "lshr":
        op, value = "udiv", 1 << value
    if op == "udiv" and value and value & (value - 1) == 0 and value <= a.align:
        limit = (a.limit - 1) // value + 1 if a.limit else None
        return replace(
            a,
            pattern=tuple(p // value for p in a.pattern),
            align=a.align // value,
            constant=None,
            limit=limit,
        )
    return VARYING


def _limit(op: str, a: Shape, b: Shape) -> int | None:
    """What is known of the size of a uniform result."""
    if op == "and" and (a.limit or b.limit):
        return min(limit for limit in (a.limit, b.limit) if limit)
    if op in ("lshr", "udiv") and a.limit:
        return a.limit
    if op == "urem" and b.limit:
        return b.limit
    return None


def extend(a: Shape, how: str, bits: int, exact: bool) -> Shape:
    """``zext``, ``sext`` or ``trunc`` from ``bits``. Where lanes are not known, no wrap between them is
    assumed.

    A lane that uses the value as an address is right if all lanes do: an index that wrapped would be 2³¹
    elements away, outside any buffer (``exact``: buffers are larger than that, so nothing may be assumed).
    """
    if not a.linear:
        return a
    if (values := a.known) is not None:
        mask = (1 << bits) - 1
        return known(tuple(signed(v, bits) if how == "sext" else v & mask for v in values))
    if a.uniform:
        return replace(a, constant=None)
    if how == "trunc":
        return VARYING if a.terms or a.assumed else replace(a, constant=None, limit=None)
    if a.limit is not None and not a.terms:
        return a
    if exact:
        return VARYING
    terms = tuple((tuple((name, step or "sext") for name, step in s), p) for s, p in a.terms)
    return replace(a, terms=terms, constant=None, assumed=True, limit=None)
