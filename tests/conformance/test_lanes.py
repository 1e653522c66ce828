"""What lanes take from each other: reductions, scans, shuffles, votes; by all lanes and by some."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import numpy.typing as npt
import pytest

from .running import Array, run1, to_numpy, words

N = 82  # two SIMD-groups and 18 lanes
INTEGERS = {
    "char": "int8",
    "uchar": "uint8",
    "short": "int16",
    "ushort": "uint16",
    "int": "int32",
    "uint": "uint32",
    "long": "int64",
    "ulong": "uint64",
}
FLOATS = {"half": "float16", "bfloat": "bfloat16", "float": "float32"}

# Who is active: everybody, or the lanes whose flag is set; and those whose flag is not, doing something else.
FLAGS: dict[str, Callable[[Array], Array]] = {
    "all": lambda i: np.ones(len(i), bool),
    "odd": lambda i: i % 2 == 1,
    "few": lambda i: i % 32 > 28,
    "some": lambda i: (i * 7919) % 5 < 2,
}


def active_groups(flags: npt.NDArray[np.bool_]) -> list[Array]:
    """The threads of each SIMD-group that are active."""
    groups = [np.arange(start, min(start + 32, N)) for start in range(0, N, 32)]
    return [g[flags[g]] for g in groups]


def _values(rng: np.random.Generator, dtype: str, kind: str) -> Array:
    """Values whose sums or products are exact in any order, for floats; any at all, for integers."""
    if dtype in FLOATS.values():
        chosen = rng.integers(-4, 5, N) if kind == "sum" else rng.choice([1.0, -1.0, 2.0, 0.5], N)
        return chosen.astype(np.float32)
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max, N, endpoint=True, dtype=dtype)


def _given(values: Array, dtype: str) -> Any:
    return mx.array(values).astype(mx.bfloat16) if dtype == "bfloat16" else values.astype(dtype)


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize(("metal", "dtype"), {**INTEGERS, **FLOATS}.items())
def test_reductions_and_scans(metal: str, dtype: str, flags: str) -> None:
    rng = np.random.default_rng(3)
    sums, products = _values(rng, dtype, "sum"), _values(rng, dtype, "product")
    here = FLAGS[flags](np.arange(N))
    operations: dict[str, tuple[Array, Callable[[Array], Any]]] = {
        "simd_sum(x)": (sums, lambda v: np.add.reduce(v)),
        "simd_product(y)": (products, lambda v: np.multiply.reduce(v)),
        "simd_min(x)": (sums, np.min),
        "simd_max(x)": (sums, np.max),
        "simd_prefix_inclusive_sum(x)": (sums, np.add.accumulate),
        "simd_prefix_exclusive_sum(x)": (sums, lambda v: np.add.accumulate(v) - v),
        "simd_prefix_inclusive_product(y)": (products, np.multiply.accumulate),
        "simd_prefix_exclusive_product(y)": (
            products,
            lambda v: np.multiply.accumulate(np.concatenate([v[:1] * 0 + 1, v[:-1]])),
        ),
        "simd_broadcast_first(x)": (sums, lambda v: v[0]),
    }
    if dtype not in FLOATS.values():
        operations |= {
            "simd_and(x)": (sums, np.bitwise_and.reduce),
            "simd_or(x)": (sums, np.bitwise_or.reduce),
            "simd_xor(x)": (sums, np.bitwise_xor.reduce),
        }
    body = f"uint i = thread_position_in_grid.x;\n{metal} x = a[i], y = b[i];\nif (f[i]) {{\n"
    for k, name in enumerate(operations):
        body += f"    out[i * {len(operations)} + {k}] = {name};\n"
    body += f"}} else {{ out[i * {len(operations)}] = 3; }}"
    found = run1(
        body,
        {"a": _given(sums, dtype), "b": _given(products, dtype), "f": here.astype(np.uint8)},
        (N, len(operations)),
        dtype,
        grid=(N, 1, 1),
        init_value=0,
    )
    expected = np.zeros_like(found)
    expected[~here, 0] = 3
    with np.errstate(over="ignore"):
        for group in active_groups(here):
            for k, (values, operation) in enumerate(operations.values()):
                if len(group):
                    mine = values[group] if dtype in FLOATS.values() else values[group].astype(dtype)
                    expected[group, k] = np.asarray(operation(mine)).astype(found.dtype)
    for k, name in enumerate(operations):
        np.testing.assert_array_equal(found[:, k], expected[:, k], err_msg=name)


def test_a_float_sum_is_close_whatever_its_order() -> None:
    a = np.random.default_rng(4).standard_normal(N).astype(np.float32)
    found = run1("uint i = thread_position_in_grid.x; out[i] = simd_sum(a[i]);", {"a": a}, (N,), "float32")
    for group in active_groups(np.ones(N, bool)):
        exact = a[group].astype(np.float64)
        bound = 31 * 2**-24 * np.abs(exact).sum()  # 31 additions, each rounded by half a unit at most
        np.testing.assert_allclose(found[group], exact.sum(), rtol=0, atol=bound)


SHUFFLES = {
    # name: (expression, source lane, what a lane keeps that has no source)
    "xor by a constant": ("simd_shuffle_xor(x, 5)", lambda lane, u: lane ^ 5),
    "xor by a uniform value": ("simd_shuffle_xor(x, ushort(u[0]))", lambda lane, u: lane ^ u),
    "down by a constant": ("simd_shuffle_down(x, 7)", lambda lane, u: lane + 7),
    "down by a uniform value": ("simd_shuffle_down(x, ushort(u[0]))", lambda lane, u: lane + u),
    "up by a constant": ("simd_shuffle_up(x, 3)", lambda lane, u: lane - 3),
    "rotate down": ("simd_shuffle_rotate_down(x, 9)", lambda lane, u: (lane + 9) % 32),
    "rotate up": ("simd_shuffle_rotate_up(x, ushort(u[0]))", lambda lane, u: (lane - u) % 32),
    "a constant lane": ("simd_shuffle(x, 13)", lambda lane, u: lane * 0 + 13),
    "a uniform lane": ("simd_shuffle(x, ushort(u[0]))", lambda lane, u: lane * 0 + u),
    "a lane's own choice": ("simd_shuffle(x, ushort(w[i] % 32))", None),
    "broadcast": ("simd_broadcast(x, 31)", lambda lane, u: lane * 0 + 31),
    "quad broadcast": ("quad_broadcast(x, 2)", lambda lane, u: lane // 4 * 4 + 2),
    "quad xor": ("quad_shuffle_xor(x, 3)", lambda lane, u: lane ^ 3),
    "quad down": ("quad_shuffle_down(x, 1)", lambda lane, u: np.where(lane % 4 < 3, lane + 1, -1)),
    "quad up": ("quad_shuffle_up(x, 2)", lambda lane, u: np.where(lane % 4 > 1, lane - 2, -1)),
    "quad rotate": ("quad_shuffle_rotate_down(x, 1)", lambda lane, u: lane // 4 * 4 + (lane + 1) % 4),
    "quad by choice": ("quad_shuffle(x, ushort(w[i] % 4))", None),
}


@pytest.mark.parametrize("metal", ["float", "half", "uchar", "long"])
def test_shuffles(metal: str) -> None:
    n, u = 96, 11
    rng = np.random.default_rng(5)
    a, w = rng.integers(0, 120, n), words(rng, n)
    lane = np.arange(n) % 32
    body = f"uint i = thread_position_in_grid.x; {metal} x = {metal}(a[i]);\n" + "".join(
        f"out[i * {len(SHUFFLES)} + {k}] = float({expression});\n"
        for k, (expression, _) in enumerate(SHUFFLES.values())
    )
    inputs = {"a": a.astype(np.int32), "w": w, "u": np.array([u], np.uint32)}
    found = run1(body, inputs, (n, len(SHUFFLES)), "float32", grid=(n, 1, 1))
    for k, (name, (_, source)) in enumerate(SHUFFLES.items()):
        if source is None:
            wanted = lane // 4 * 4 + w % 4 if "quad" in name else w % 32
        else:
            wanted = source(lane, u)
        defined = (wanted >= 0) & (wanted < 32)
        start = np.arange(n) // 32 * 32
        expected = a[start + np.where(defined, wanted, 0)]
        np.testing.assert_array_equal(found[defined, k], expected[defined], err_msg=name)


@pytest.mark.parametrize(("delta", "modulo"), [(3, 32), (2, 8), (5, 16)])
def test_shuffles_that_fill(delta: int, modulo: int) -> None:
    n = 64
    rng = np.random.default_rng(6)
    a, b = rng.integers(0, 1000, n).astype(np.int32), rng.integers(1000, 2000, n).astype(np.int32)
    body = f"""uint i = thread_position_in_grid.x;
    out[i * 2] = simd_shuffle_and_fill_down(a[i], b[i], {delta}, {modulo});
    out[i * 2 + 1] = simd_shuffle_and_fill_up(a[i], b[i], {delta}, {modulo});"""
    found = run1(body, {"a": a, "b": b}, (n, 2), "int32", grid=(n, 1, 1))
    for start in range(0, n, modulo):
        one, two = a[start : start + modulo], b[start : start + modulo]
        np.testing.assert_array_equal(
            found[start : start + modulo, 0], np.concatenate([one[delta:], two[:delta]])
        )
        np.testing.assert_array_equal(
            found[start : start + modulo, 1], np.concatenate([two[-delta:], one[:-delta]])
        )


def test_vectors_shuffle_and_sum_element_by_element() -> None:
    n = 64
    a = np.random.default_rng(7).integers(-50, 50, (n, 4)).astype(np.float32)
    body = """uint i = thread_position_in_grid.x;
    float4 x = ((const device float4*)a)[i];
    ((device float4*)out)[i * 2] = simd_sum(x);
    ((device float4*)out)[i * 2 + 1] = simd_shuffle_xor(x, 1).yxwz;"""
    found = run1(body, {"a": a}, (n, 2, 4), "float32", grid=(n, 1, 1))
    np.testing.assert_array_equal(found[:, 0], a.reshape(2, 32, 4).sum(1).repeat(32, 0))
    np.testing.assert_array_equal(found[:, 1], a[np.arange(n) ^ 1][:, [1, 0, 3, 2]])


@pytest.mark.parametrize("flags", FLAGS)
def test_votes(flags: str) -> None:
    rng = np.random.default_rng(8)
    here = FLAGS[flags](np.arange(N))
    a = words(rng, N, 5)
    body = """uint i = thread_position_in_grid.x;
    if (f[i]) {
        out[i * 6] = uint((ulong)simd_ballot(a[i] > 2));
        out[i * 6 + 1] = uint((ulong)simd_active_threads_mask());
        out[i * 6 + 2] = simd_all(a[i] < 4);
        out[i * 6 + 3] = simd_any(a[i] == 0);
        out[i * 6 + 4] = simd_is_first();
        out[i * 6 + 5] = simd_sum(1u);
    }"""
    inputs = {"a": a, "f": here.astype(np.uint8)}
    found = run1(body, inputs, (N, 6), "uint32", grid=(N, 1, 1), init_value=9)
    expected = np.full((N, 6), 9, np.uint32)
    for g in active_groups(here):
        if not len(g):
            continue
        bits = 1 << (g % 32)
        expected[g, 0] = bits[a[g] > 2].sum()
        expected[g, 1] = bits.sum()
        expected[g, 2] = (a[g] < 4).all()
        expected[g, 3] = (a[g] == 0).any()
        expected[g, 4] = g == g[0]
        expected[g, 5] = len(g)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("flags", FLAGS)
def test_quads(flags: str) -> None:
    """Four lanes together; the ones that are not active do not count."""
    rng = np.random.default_rng(9)
    here = FLAGS[flags](np.arange(N))
    a = rng.integers(-9, 9, N).astype(np.int32)
    operations: dict[str, Any] = {
        "quad_sum(x)": np.sum,
        "quad_product(x)": np.prod,
        "quad_min(x)": np.min,
        "quad_max(x)": np.max,
        "quad_and(x)": np.bitwise_and.reduce,
        "quad_or(x)": np.bitwise_or.reduce,
        "quad_xor(x)": np.bitwise_xor.reduce,
        "quad_prefix_inclusive_sum(x)": np.cumsum,
        "quad_prefix_exclusive_sum(x)": lambda v: np.cumsum(v) - v,
        "quad_prefix_inclusive_product(x)": np.cumprod,
        "int(quad_all(x > 0))": lambda v: (v > 0).all(),
        "int(quad_any(x > 0))": lambda v: (v > 0).any(),
        "quad_broadcast_first(x)": lambda v: v[0],
    }
    body = "uint i = thread_position_in_grid.x; int x = a[i];\nif (f[i]) {\n"
    body += (
        "".join(f"    out[i * {len(operations)} + {k}] = {op};\n" for k, op in enumerate(operations)) + "}"
    )
    inputs = {"a": a, "f": here.astype(np.uint8)}
    found = run1(body, inputs, (N, len(operations)), "int32", grid=(N, 1, 1), init_value=0)
    for start in range(0, N, 4):
        quad = np.arange(start, min(start + 4, N))
        quad = quad[here[quad]]
        for k, (name, operation) in enumerate(operations.items()):
            if len(quad):
                np.testing.assert_array_equal(found[quad, k], operation(a[quad]), err_msg=f"{name} of {quad}")


def test_shuffles_between_active_lanes_in_divergent_code() -> None:
    n = 64
    a = words(np.random.default_rng(10), n, 100)
    body = """uint i = thread_position_in_grid.x;
    if (i & 2) out[i] = simd_shuffle_xor(a[i], 1) + simd_shuffle(a[i], ushort(i ^ 4));
    else out[i] = simd_shuffle_down(a[i], 1) * 2;"""
    found = run1(body, {"a": a}, (n,), "uint32")
    i = np.arange(n)
    yes = (i & 2) > 0
    np.testing.assert_array_equal(found[yes], (a[i ^ 1] + a[i ^ 4])[yes])
    even = ~yes & (i % 2 == 0)  # the source of an odd lane is in the other branch
    np.testing.assert_array_equal(found[even], a[i[even] + 1] * 2)


def test_a_tree_of_shuffles_is_a_sum() -> None:
    a = np.random.default_rng(11).integers(-100, 100, 96).astype(np.float32)
    body = """uint i = thread_position_in_grid.x; float x = a[i];
    for (ushort step = 16; step > 0; step /= 2) x += simd_shuffle_xor(x, step);
    out[i] = x;"""
    found = run1(body, {"a": a}, (96,), "float32")
    np.testing.assert_array_equal(found, a.reshape(3, 32).sum(1).repeat(32))


def test_bfloat_operations_round_once_an_addition() -> None:
    """A scan in bfloat16 is still within one rounding for each of its five steps."""
    a = mx.array(np.random.default_rng(12).random(64).astype(np.float32)).astype(mx.bfloat16)
    body = "uint i = thread_position_in_grid.x; out[i] = simd_prefix_inclusive_sum(a[i]);"
    found = run1(body, {"a": a}, (64,), "bfloat16")
    exact = np.cumsum(to_numpy(a).astype(np.float64).reshape(2, 32), axis=1).reshape(-1)
    np.testing.assert_allclose(found, exact, rtol=5 * 2**-8)


def test_a_bitonic_sort() -> None:
    a = words(np.random.default_rng(13), 64)
    body = """uint i = thread_position_in_grid.x, lane = thread_index_in_simdgroup, x = a[i];
    for (uint k = 2; k <= 32; k *= 2) {
        for (uint j = k / 2; j > 0; j /= 2) {
            uint other = simd_shuffle_xor(x, ushort(j));
            bool up = (lane & k) == 0, lower = (lane & j) == 0;
            x = lower == up ? min(x, other) : max(x, other);
        }
    }
    out[i] = x;"""
    found = run1(body, {"a": a}, (64,), "uint32")
    np.testing.assert_array_equal(found, np.sort(a.reshape(2, 32), axis=1).reshape(-1))


def test_a_loop_until_no_lane_is_left() -> None:
    a = words(np.random.default_rng(14), N, 50)
    body = """uint i = thread_position_in_grid.x, x = a[i], rounds = 0;
    while (simd_any(x > 0)) { if (x > 0) --x; ++rounds; }
    out[i] = rounds;"""
    found = run1(body, {"a": a}, (N,), "uint32")
    for group in active_groups(np.ones(N, bool)):
        np.testing.assert_array_equal(found[group], a[group].max())
