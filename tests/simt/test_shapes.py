"""What a shape claims must be true of the 32 values: every transfer function against the operation itself."""

from __future__ import annotations

import operator
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anymetal.simt import shapes
from anymetal.simt.ir import LANES
from anymetal.simt.shapes import FRAGMENT, LANE, UNIFORM, VARYING, Shape

SYMBOLS = ("s", "t")


@dataclass(frozen=True)
class Case:
    """A shape, and 32 values of which it is true, given the values of its symbols."""

    shape: Shape
    values: tuple[int, ...]
    symbols: dict[str, int]


def true_of(shape: Shape, values: tuple[int, ...], symbols: dict[str, int], bits: int) -> bool:
    """Whether all that `shape` says holds of `values`, which are unsigned."""
    if not shape.linear:
        return True
    modulus = 1 << bits
    base = values[0]
    for lane, value in enumerate(values):
        expected = base + shape.pattern[lane]
        for symbol, pattern in shape.terms:
            product = 1
            for name, _ in symbol:
                product *= symbols[name]
            expected += product * pattern[lane]
        if (value - expected) % modulus:
            return False
    if shape.constant is not None and (shape.constant - base) % modulus:
        return False
    if base % shape.align:
        return False
    return shape.limit is None or max(values) < shape.limit


def _cases(bits: int) -> st.SearchStrategy[Case]:
    modulus = 1 << bits
    patterns = st.one_of(
        st.just(shapes.ZERO),
        st.integers(-9, 9).map(lambda k: tuple(k * lane for lane in LANE)),
        st.sampled_from([2, 4, 8, 16]).map(lambda k: tuple(lane % k for lane in LANE)),
        st.sampled_from([2, 4, 8, 16]).map(lambda k: tuple(lane // k for lane in LANE)),
        st.lists(st.integers(0, 40), min_size=31, max_size=31).map(lambda v: (0, *v)),
    )

    @st.composite
    def case(draw: st.DrawFn) -> Case:
        symbols = {name: draw(st.integers(0, modulus - 1)) for name in SYMBOLS}
        align = draw(st.sampled_from([1, 1, 2, 4, 32, 64]))
        base = draw(st.one_of(st.integers(0, 100), st.integers(0, modulus - 1))) // align * align
        pattern = draw(patterns)
        terms = []
        for name in SYMBOLS:
            if draw(st.integers(0, 3)) == 0:
                terms.append((((name, ""),), tuple(k * draw(st.integers(1, 3)) for k in LANE)))
        values = tuple(
            (base + pattern[i] + sum(symbols[s[0][0]] * p[i] for s, p in terms)) % modulus for i in range(LANES)
        )
        known = not terms and draw(st.booleans())
        if known:
            return Case(shapes.known(values), values, symbols)
        below = max(values) + 1
        limit = below if below <= 1 << (bits - 1) and draw(st.booleans()) else None
        return Case(Shape("linear", pattern, tuple(terms), None, align, False, limit), values, symbols)

    return case()


def _both(bits: int) -> st.SearchStrategy[tuple[Case, Case]]:
    """Two cases with the same symbols."""

    def share(pair: tuple[Case, Case]) -> bool:
        return not pair[1].shape.terms or pair[0].symbols == pair[1].symbols

    def join(a: Case, b: Case) -> tuple[Case, Case]:
        shape = b.shape
        values = tuple(
            (b.values[0] + shape.pattern[i] + sum(a.symbols[s[0][0]] * p[i] for s, p in shape.terms)) % (1 << bits)
            for i in range(LANES)
        )
        limit = shape.limit if shape.limit is not None and max(values) < shape.limit else None
        kept = Shape(shape.kind, shape.pattern, shape.terms, shape.constant, shape.align, False, limit)
        return a, Case(kept, values, a.symbols)

    return st.builds(join, _cases(bits), _cases(bits)).filter(share)


@pytest.mark.parametrize("bits", [8, 32, 64])
@settings(max_examples=60, derandomize=True)
@given(data=st.data())
def test_the_cases_themselves_hold(bits: int, data: st.DataObject) -> None:
    case = data.draw(_cases(bits))
    assert true_of(case.shape, case.values, case.symbols, bits)


@pytest.mark.parametrize("bits", [8, 32, 64])
@pytest.mark.parametrize("op", ["add", "sub", "mul"])
@settings(max_examples=150, derandomize=True)
@given(data=st.data())
def test_sums_and_products(op: str, bits: int, data: st.DataObject) -> None:
    a, b = data.draw(_both(bits))
    compute: Callable[[int, int], int] = getattr(operator, op)
    values = tuple(compute(x, y) % (1 << bits) for x, y in zip(a.values, b.values, strict=True))
    symbols = {**a.symbols, "a": a.values[0], "b": b.values[0]}
    if op == "mul":
        result = shapes.multiply(a.shape, b.shape, "a", "b", bits)
    else:
        result = getattr(shapes, op)(a.shape, b.shape, bits)
    assert true_of(result, values, symbols, bits), result


@pytest.mark.parametrize("bits", [8, 32, 64])
@settings(max_examples=100, derandomize=True)
@given(data=st.data(), factor=st.integers(-70, 70))
def test_scaling(bits: int, data: st.DataObject, factor: int) -> None:
    case = data.draw(_cases(bits))
    values = tuple(v * factor % (1 << bits) for v in case.values)
    assert true_of(shapes.scale(case.shape, factor, bits), values, case.symbols, bits)


BITWISE: dict[str, Callable[[int, int, int], int]] = {
    "and": lambda x, y, n: x & y,
    "or": lambda x, y, n: x | y,
    "xor": lambda x, y, n: x ^ y,
    "udiv": lambda x, y, n: x // y,
    "urem": lambda x, y, n: x % y,
    "lshr": lambda x, y, n: x >> y,
    "shl": lambda x, y, n: (x << y) % (1 << n),
    "llvm.umin": lambda x, y, n: min(x, y),
    "llvm.umax": lambda x, y, n: max(x, y),
}


@pytest.mark.parametrize("bits", [8, 32, 64])
@pytest.mark.parametrize("op", BITWISE)
@settings(max_examples=120, derandomize=True)
@given(data=st.data())
def test_bits_and_divisions(op: str, bits: int, data: st.DataObject) -> None:
    a, b = data.draw(_both(bits))
    if data.draw(st.booleans()):  # a constant on the right is what most of the rules are for
        powers = [1, 2, 4, 8, 16, 31, 32, 3, (1 << bits) - 8, (1 << bits) - 32]
        k = data.draw(st.sampled_from(powers)) % (1 << bits)
        b = Case(shapes.constant(k), (k,) * LANES, a.symbols)
    if op in ("lshr", "shl"):
        if max(b.values) >= bits:
            return  # poison
    elif op in ("udiv", "urem") and min(b.values) == 0:
        return  # undefined
    values = tuple(BITWISE[op](x, y, bits) for x, y in zip(a.values, b.values, strict=True))
    result = shapes.bitwise(op, a.shape, b.shape, bits)
    assert true_of(result, values, a.symbols, bits), result


@pytest.mark.parametrize("how", ["zext", "sext", "trunc"])
@settings(max_examples=150, derandomize=True)
@given(data=st.data())
def test_other_widths(how: str, data: st.DataObject) -> None:
    case = data.draw(_cases(32))
    target = 16 if how == "trunc" else 64
    values = tuple((shapes.signed(v, 32) if how == "sext" else v) % (1 << target) for v in case.values)
    # `exact`: nothing may be assumed of lanes that wrap.
    result = shapes.extend(case.shape, how, 32, True)
    assert not result.assumed
    assert true_of(result, values, case.symbols, target), result


def test_an_index_is_assumed_not_to_wrap_where_buffers_are_small() -> None:
    index = Shape("linear", LANE)
    widened = shapes.extend(index, "zext", 32, False)
    assert widened.linear
    assert widened.assumed
    assert shapes.extend(index, "zext", 32, True) is VARYING
    # What is known not to wrap needs no assumption.
    assert not shapes.extend(Shape("linear", LANE, limit=1024), "zext", 32, False).assumed


def test_the_difference_of_two_assumed_indices_is_not_uniform() -> None:
    widened = shapes.extend(Shape("linear", LANE), "zext", 32, False)
    assert not shapes.sub(widened, widened, 64).uniform
    assert shapes.sub(Shape("linear", LANE), Shape("linear", LANE), 64).uniform


@settings(max_examples=200, derandomize=True)
@given(data=st.data())
def test_merging_keeps_what_is_true_of_both(data: st.DataObject) -> None:
    a, b = data.draw(_both(32))
    merged = shapes.merge(a.shape, b.shape)
    assert merged is not None
    assert true_of(merged, a.values, a.symbols, 32)
    assert true_of(merged, b.values, b.symbols, 32)
    assert shapes.merge(merged, a.shape) == merged  # nothing is raised again


def test_merging_with_what_is_not_known_yet_and_with_fragments() -> None:
    assert shapes.merge(None, UNIFORM) is UNIFORM
    assert shapes.merge(None, None) is None
    assert shapes.merge(FRAGMENT, UNIFORM) is FRAGMENT
    assert shapes.merge(FRAGMENT, Shape("linear", LANE)) is VARYING


@pytest.mark.parametrize(("value", "bits", "expected"), [(255, 8, -1), (127, 8, 127), (-1, 32, -1), (2**31, 32, -(2**31))])
def test_signed(value: int, bits: int, expected: int) -> None:
    assert shapes.signed(value, bits) == expected
