"""What a shape claims must be true of the 32 values: every transfer function against the operation itself."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from random import Random

import pytest

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


def _case(random: Random, bits: int, symbols: dict[str, int]) -> Case:
    """A shape of any kind, and values of which it is true."""
    modulus = 1 << bits
    k, power = random.randint(-9, 9), random.choice([2, 4, 8, 16])
    pattern = random.choice(
        [
            shapes.ZERO,
            tuple(k * lane for lane in LANE),
            tuple(lane % power for lane in LANE),
            tuple(lane // power for lane in LANE),
            (0, *(random.randint(0, 40) for _ in LANE[1:])),
        ]
    )
    align = random.choice([1, 1, 2, 4, 32, 64])
    base = random.choice([random.randint(0, 100), random.randrange(modulus)]) // align * align
    terms = tuple(
        (((name, ""),), tuple(lane * random.randint(1, 3) for lane in LANE))
        for name in SYMBOLS
        if random.random() < 0.25
    )
    values = tuple(
        (base + pattern[i] + sum(symbols[s[0][0]] * p[i] for s, p in terms)) % modulus for i in range(LANES)
    )
    if not terms and random.random() < 0.5:
        return Case(shapes.known(values), values, symbols)
    below = max(values) + 1
    limit = below if below <= 1 << (bits - 1) and random.random() < 0.5 else None
    return Case(Shape("linear", pattern, terms, None, align, False, limit), values, symbols)


def _cases(seed: int, bits: int, rounds: int = 400) -> Iterator[tuple[Random, Case, Case]]:
    """Pairs of cases with the same symbols."""
    random = Random(f"{seed} {bits}")
    for _ in range(rounds):
        symbols = {name: random.randrange(1 << bits) for name in SYMBOLS}
        yield random, _case(random, bits, symbols), _case(random, bits, symbols)


@pytest.mark.parametrize("bits", [8, 32, 64])
def test_the_cases_themselves_hold(bits: int) -> None:
    for _, case, _ in _cases(1, bits):
        assert true_of(case.shape, case.values, case.symbols, bits)


@pytest.mark.parametrize("bits", [8, 32, 64])
@pytest.mark.parametrize("op", ["add", "sub", "mul"])
def test_sums_and_products(op: str, bits: int) -> None:
    compute: Callable[[int, int], int] = getattr(operator, op)
    linear = 0
    for _, a, b in _cases(2, bits):
        values = tuple(compute(x, y) % (1 << bits) for x, y in zip(a.values, b.values, strict=True))
        symbols = {**a.symbols, "a": a.values[0], "b": b.values[0]}
        if op == "mul":
            result = shapes.multiply(a.shape, b.shape, "a", "b", bits)
        else:
            result = getattr(shapes, op)(a.shape, b.shape, bits)
        assert true_of(result, values, symbols, bits), (a, b, result)
        linear += result.linear
    assert linear > 50  # else nothing was claimed, and nothing tested


@pytest.mark.parametrize("bits", [8, 32, 64])
def test_scaling(bits: int) -> None:
    for random, case, _ in _cases(3, bits):
        factor = random.choice([0, 1, -1, 4, 64, random.randint(-70, 70)])
        values = tuple(v * factor % (1 << bits) for v in case.values)
        result = shapes.scale(case.shape, factor, bits)
        assert true_of(result, values, case.symbols, bits), (case, factor, result)


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
def test_bits_and_divisions(op: str, bits: int) -> None:
    linear = 0
    for random, a, b in _cases(4, bits, 800):
        if random.random() < 0.7:  # a constant on the right is what most of the rules are for
            k = random.choice([0, 1, 2, 4, 5, 8, 16, 31, 32, 3, -8, -32]) % (1 << bits)
            b = Case(shapes.constant(k), (k,) * LANES, a.symbols)
        if op in ("lshr", "shl") and max(b.values) >= bits:
            continue  # poison
        if op in ("udiv", "urem") and min(b.values) == 0:
            continue  # undefined
        values = tuple(BITWISE[op](x, y, bits) for x, y in zip(a.values, b.values, strict=True))
        result = shapes.bitwise(op, a.shape, b.shape, bits)
        assert true_of(result, values, a.symbols, bits), (a, b, result)
        linear += result.linear
    assert linear > 50


@pytest.mark.parametrize("how", ["zext", "sext", "trunc"])
def test_other_widths(how: str) -> None:
    target = 16 if how == "trunc" else 64
    for _, case, _ in _cases(5, 32):
        values = tuple((shapes.signed(v, 32) if how == "sext" else v) % (1 << target) for v in case.values)
        # `exact`: nothing may be assumed of lanes that wrap.
        result = shapes.extend(case.shape, how, 32, True)
        assert not result.assumed
        assert true_of(result, values, case.symbols, target), (case, result)


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


def test_merging_keeps_what_is_true_of_both() -> None:
    for random, a, b in _cases(6, 32):
        if random.random() < 0.5:  # the same pattern at another place, as in a loop
            moved = tuple((v + 64) % 2**32 for v in a.values)
            b = Case(
                replace(a.shape, constant=None, limit=None, align=min(a.shape.align, 64)), moved, a.symbols
            )
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


@pytest.mark.parametrize(
    ("value", "bits", "expected"), [(255, 8, -1), (127, 8, 127), (-1, 32, -1), (2**31, 32, -(2**31))]
)
def test_signed(value: int, bits: int, expected: int) -> None:
    assert shapes.signed(value, bits) == expected
