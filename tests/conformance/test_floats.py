"""Floating point: rounding after each operation, conversions, and the mathematics library."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from .running import Array, run1, to_numpy

N = 97
INDEX = "uint i = thread_position_in_grid.x;\n"
UNIT = {"float32": 2.0**-24, "float16": 2.0**-11, "bfloat16": 2.0**-8}
TYPES = [("float", "float32"), ("half", "float16"), ("bfloat", "bfloat16")]


def _as(a: Array, dtype: str) -> Any:
    return mx.array(a.astype(np.float32)).astype(getattr(mx, dtype))


def _round(a: Array, dtype: str) -> Array:
    """float64, rounded to the type by way of float32, which has more than twice its digits."""
    return to_numpy(_as(a, dtype)).astype(np.float64)


@pytest.mark.parametrize(("metal", "dtype"), TYPES)
def test_each_operation_rounds(metal: str, dtype: str) -> None:
    """Nothing is kept in a wider type between operations, and nothing is fused."""
    rng = np.random.default_rng(1)
    a, b, c = (_as(rng.standard_normal(N), dtype) for _ in range(3))
    body = (
        INDEX
        + f"""{metal} x = a[i], y = b[i], z = c[i];
    {metal} p = x * y;
    out[i * 4] = p + z;
    out[i * 4 + 1] = (x + y) - z;
    out[i * 4 + 2] = (x * y) * z;
    out[i * 4 + 3] = x / y;"""
    )
    # C++ lets a product and a sum in one expression fuse. Taking the product's bits in between keeps them
    # apart.
    bits = "ushort" if metal != "float" else "uint"
    body = body.replace(
        "x * y;", f"as_type<{metal}>({bits}(as_type<{bits}>({metal}(x * y)) ^ {bits}(u[0])));", 1
    )
    inputs = {"a": a, "b": b, "c": c, "u": np.array([0], np.uint32)}
    found = run1(body, inputs, (N, 4), dtype, grid=(N, 1, 1))
    x, y, z = (to_numpy(v).astype(np.float64) for v in (a, b, c))

    def r(v: Array) -> Array:
        return _round(v, dtype)

    expected = np.stack([r(r(x * y) + z), r(r(x + y) - z), r(r(x * y) * z), r(x / y)], axis=1)
    np.testing.assert_array_equal(found, expected)


def test_half_sums_stop_growing_where_half_does() -> None:
    """2048 + 1 is 2048 in half, however often: no wider accumulator hides behind it."""
    body = INDEX + "half x = a[i]; for (uint k = 0; k < 3000; ++k) x += half(1); out[i] = x;"
    found = run1(body, {"a": np.zeros(40, np.float16)}, (40,), "float16")
    np.testing.assert_array_equal(found, 2048)


@pytest.mark.parametrize(("metal", "dtype"), TYPES[:2])  # Metal has no fma of bfloat
def test_fma_rounds_once(metal: str, dtype: str) -> None:
    a = (1 + UNIT[dtype] * 2 * np.arange(N)).astype(dtype)
    body = INDEX + f"out[i] = fma(a[i], a[i], {metal}(-1));"
    found = run1(body, {"a": a}, (N,), dtype)
    exact = a.astype(np.float64) ** 2 - 1
    np.testing.assert_array_equal(found, exact.astype(dtype))


def test_conversions_between_floats() -> None:
    rng = np.random.default_rng(2)
    a = (rng.standard_normal(N) * 10.0 ** rng.integers(-9, 9, N)).astype(np.float32)
    a[:6] = (np.inf, -np.inf, 65519.0, 65520.0, 2.0**-25, -0.0)
    body = (
        INDEX
        + """out[i * 4] = float(half(a[i])); out[i * 4 + 1] = float(bfloat(a[i]));
    out[i * 4 + 2] = float(half(bfloat(a[i]))); out[i * 4 + 3] = float(bfloat(half(a[i])));"""
    )
    found = run1(body, {"a": a}, (N, 4), "float32", grid=(N, 1, 1))
    with np.errstate(over="ignore"):
        half = a.astype(np.float16)
        brain = to_numpy(mx.array(a).astype(mx.bfloat16))
        expected = [half, brain, brain.astype(np.float16), to_numpy(mx.array(half).astype(mx.bfloat16))]
    np.testing.assert_array_equal(found, np.stack(expected, axis=1).astype(np.float32))


@pytest.mark.parametrize(
    ("metal", "dtype"),
    [
        ("char", "int8"),
        ("uchar", "uint8"),
        ("short", "int16"),
        ("ushort", "uint16"),
        ("int", "int32"),
        ("uint", "uint32"),
    ],
)
def test_conversions_between_floats_and_integers(metal: str, dtype: str) -> None:
    rng = np.random.default_rng(3)
    info = np.iinfo(dtype)
    k = rng.integers(info.min, info.max, N, endpoint=True, dtype=dtype)
    # Inside the range: what lies outside is undefined in Metal.
    f = (rng.random(N) * 0.99 * info.max).astype(np.float32)
    if info.min < 0:
        f[::2] *= -1
    body = (
        INDEX
        + f"""out[i * 3] = float(k[i]); out[i * 3 + 1] = float({metal}(f[i]));
    out[i * 3 + 2] = float(bfloat(k[i]));"""
    )
    found = run1(body, {"k": k, "f": f}, (N, 3), "float32", grid=(N, 1, 1))
    expected = [k.astype(np.float32), f.astype(np.int64).astype(np.float32)]
    np.testing.assert_array_equal(found[:, :2], np.stack(expected, axis=1))
    np.testing.assert_allclose(found[:, 2], k.astype(np.float64), rtol=UNIT["bfloat16"])


def test_half_to_and_from_integers() -> None:
    a = np.random.default_rng(4).integers(-2000, 2000, N).astype(np.int32)
    body = (
        INDEX
        + "half h = half(a[i]) / 4; out[i * 2] = int(h); out[i * 2 + 1] = int(uchar(h < 0 ? -h : h) * 2);"
    )
    found = run1(body, {"a": a}, (N, 2), "int32", grid=(N, 1, 1))
    quarter = a / 4
    small = np.abs(quarter) < 256  # the rest does not fit a uchar
    np.testing.assert_array_equal(found[:, 0], np.trunc(quarter))
    np.testing.assert_array_equal(found[small, 1], np.trunc(np.abs(quarter[small])) * 2)


def test_comparisons_with_nan() -> None:
    a = np.array([1.0, np.nan, -np.inf, 0.0, -0.0, 5.0, np.nan] * 6, np.float32)
    b = np.roll(a, 1)
    body = (
        INDEX
        + """float x = a[i], y = b[i];
    out[i] = (x < y) | (x <= y) << 1 | (x == y) << 2 | (x != y) << 3 | (x > y) << 4 | (x >= y) << 5
           | isnan(x) << 6 | isinf(x) << 7 | isfinite(x) << 8 | (!(x < y)) << 9 | signbit(x) << 10;
    if (x < y) out[i] += 1000; else if (x >= y) out[i] += 2000;"""
    )
    found = run1(body, {"a": a, "b": b}, (42,), "uint32")
    tests = [a < b, a <= b, a == b, a != b, a > b, a >= b, np.isnan(a), np.isinf(a), np.isfinite(a), ~(a < b)]
    tests.append(np.signbit(a))
    mask = np.abs(found.astype(np.int64) * 0 + 2047)
    mask[np.isnan(a)] = 1023  # the sign of NaN says nothing
    more = np.where(a < b, 1000, np.where(a >= b, 2000, 0))
    bits = sum(t.astype(np.int64) << k for k, t in enumerate(tests))
    np.testing.assert_array_equal((found - more) & mask, bits & mask)


_erf = np.vectorize(math.erf)
# name: (argument range, float64 reference, units in the last place allowed by the Metal specification,
# table 8.2)
FUNCTIONS: dict[str, tuple[float, float, Callable[..., Any], float]] = {
    "exp": (-20, 20, np.exp, 4),
    "exp2": (-20, 20, np.exp2, 4),
    "exp10": (-9, 9, lambda x: 10.0**x, 4),
    "log": (0.01, 1000, np.log, 4),
    "log2": (0.01, 1000, np.log2, 4),
    "log10": (0.01, 1000, np.log10, 4),
    "sin": (-30, 30, np.sin, 4),
    "cos": (-30, 30, np.cos, 4),
    "tan": (-1.5, 1.5, np.tan, 6),
    "asin": (-1, 1, np.arcsin, 4),
    "acos": (-1, 1, np.arccos, 4),
    "atan": (-50, 50, np.arctan, 5),
    "sinh": (-9, 9, np.sinh, 4),
    "cosh": (-9, 9, np.cosh, 4),
    "tanh": (-9, 9, np.tanh, 5),
    "asinh": (-50, 50, np.arcsinh, 4),
    "acosh": (1, 50, np.arccosh, 4),
    "atanh": (-0.99, 0.99, np.arctanh, 5),
    "sqrt": (0, 1000, np.sqrt, 0.5),
    "rsqrt": (0.001, 1000, lambda x: 1 / np.sqrt(x), 2),
    "sinpi": (-9, 9, lambda x: np.sin(np.pi * x), 4),
    "cospi": (-9, 9, lambda x: np.cos(np.pi * x), 4),
}
EXACT: dict[str, Callable[..., Any]] = {
    "floor": np.floor,
    "ceil": np.ceil,
    "trunc": np.trunc,
    "rint": np.rint,
    "round": lambda x: np.copysign(np.floor(np.abs(x) + 0.5), x),
    "fabs": np.abs,
    "abs": np.abs,
    "sign": np.sign,
    "saturate": lambda x: np.clip(x, 0, 1),
    "fract": lambda x: x - np.floor(x),
}


@pytest.mark.parametrize("metal", ["float", "half"])
def test_functions_of_one_number(metal: str) -> None:
    """All in one kernel: each within its ulps, in float or rounded from it."""
    rng = np.random.default_rng(5)
    dtype = dict(TYPES)[metal]
    a = np.stack([rng.uniform(low, high, N) for low, high, _, _ in FUNCTIONS.values()], axis=1).astype(dtype)
    if metal == "half":  # what overflows half
        for k, name in enumerate(FUNCTIONS):
            if name in ("exp", "exp2", "exp10", "sinh", "cosh"):
                a[:, k] = np.clip(a[:, k], -4, 4)
    lines = "".join(
        f"out[i * {len(FUNCTIONS)} + {k}] = {name}(a[i * {len(FUNCTIONS)} + {k}]);\n"
        for k, name in enumerate(FUNCTIONS)
    )
    found = run1(INDEX + lines, {"a": a}, a.shape, dtype, grid=(N, 1, 1)).astype(np.float64)
    for k, (name, (_, _, reference, ulps)) in enumerate(FUNCTIONS.items()):
        exact = reference(a[:, k].astype(np.float64))
        unit = 2 * UNIT[dtype] * np.maximum(np.abs(exact), 2.0**-14 if metal == "half" else 2.0**-126)
        allowed = ulps * unit
        if name in (
            "sin",
            "cos",
            "sinpi",
            "cospi",
        ):  # near a zero, the argument's own distance from it counts
            allowed = np.maximum(allowed, ulps * UNIT[dtype])
        if metal == "half":
            allowed = unit  # computed in float, rounded once; one more for the rounding of the reference
        assert (np.abs(found[:, k] - exact) <= allowed).all(), name


@pytest.mark.parametrize("metal", ["float", "half"])
def test_functions_that_are_exact(metal: str) -> None:
    dtype = dict(TYPES)[metal]
    a = (np.random.default_rng(6).standard_normal(N) * 5).astype(dtype)
    a[:8] = (0.5, 1.5, -0.5, -1.5, 2.5, -2.5, 0.0, 3.0)
    lines = "".join(f"out[i * {len(EXACT)} + {k}] = {name}(a[i]);\n" for k, name in enumerate(EXACT))
    found = run1(INDEX + lines, {"a": a}, (N, len(EXACT)), dtype, grid=(N, 1, 1))
    for k, (name, reference) in enumerate(EXACT.items()):
        np.testing.assert_array_equal(found[:, k], reference(a).astype(dtype), err_msg=name)


def test_functions_of_several_numbers() -> None:
    rng = np.random.default_rng(7)
    a, b, c = ((rng.standard_normal(N) * 3).astype(np.float32) for _ in range(3))
    cases: dict[str, tuple[Array, float]] = {}
    x, y, z = (v.astype(np.float64) for v in (a, b, c))
    small = 2.0**-23
    cases["pow(fabs(a[i]), b[i])"] = np.abs(x) ** y, 16 * small
    cases["powr(fabs(a[i]), b[i])"] = np.abs(x) ** y, 16 * small
    cases["atan2(a[i], b[i])"] = np.arctan2(x, y), 6 * small
    cases["fmod(a[i], b[i])"] = np.fmod(x, y), 0
    cases["copysign(a[i], b[i])"] = np.copysign(x, y), 0
    cases["fmin(a[i], b[i])"] = np.minimum(x, y), 0
    cases["fmax(a[i], b[i])"] = np.maximum(x, y), 0
    cases["min3(a[i], b[i], c[i])"] = np.minimum(np.minimum(x, y), z), 0
    cases["max3(a[i], b[i], c[i])"] = np.maximum(np.maximum(x, y), z), 0
    cases["median3(a[i], b[i], c[i])"] = np.median([x, y, z], axis=0), 0
    cases["clamp(a[i], -1.0f, 1.0f)"] = np.clip(x, -1, 1), 0
    cases["fdim(a[i], b[i])"] = np.maximum(a - b, 0).astype(np.float64), 0
    cases["step(a[i], b[i])"] = (y >= x) * 1.0, 0
    cases["ldexp(a[i], int(c[i]))"] = np.ldexp(x, np.trunc(z).astype(int)), 0
    cases["float(a[i] > b[i] ? ilogb(a[i]) : ilogb(b[i]))"] = (
        np.floor(np.log2(np.abs(np.where(x > y, x, y)))),
        0,
    )
    lines = "".join(f"out[i * {len(cases)} + {k}] = {e};\n" for k, e in enumerate(cases))
    found = run1(INDEX + lines, {"a": a, "b": b, "c": c}, (N, len(cases)), "float32", grid=(N, 1, 1))
    for k, (name, (exact, relative)) in enumerate(cases.items()):
        np.testing.assert_allclose(found[:, k], exact, rtol=relative, atol=0, err_msg=name)


def test_mix_and_smoothstep_are_close() -> None:
    rng = np.random.default_rng(8)
    a, b, t = (rng.random(N).astype(np.float32) for _ in range(3))
    body = INDEX + "out[i * 2] = mix(a[i], b[i], t[i]); out[i * 2 + 1] = smoothstep(0.25f, 0.75f, t[i]);"
    found = run1(body, {"a": a, "b": b, "t": t}, (N, 2), "float32", grid=(N, 1, 1))
    x, y, s = (v.astype(np.float64) for v in (a, b, t))
    u = np.clip((s - 0.25) / 0.5, 0, 1)
    # A handful of operations on numbers below 2, each within half a unit.
    np.testing.assert_allclose(found[:, 0], x + (y - x) * s, atol=8 * 2.0**-24, rtol=0)
    np.testing.assert_allclose(found[:, 1], u * u * (3 - 2 * u), atol=12 * 2.0**-24, rtol=0)


def test_geometry() -> None:
    rng = np.random.default_rng(9)
    a, b = rng.standard_normal((2, N, 4)).astype(np.float32)
    body = (
        INDEX
        + """float4 x = ((const device float4*)a)[i], y = ((const device float4*)b)[i];
    float3 n = normalize(x.xyz), c = cross(x.xyz, y.xyz);
    out[i * 8] = dot(x, y); out[i * 8 + 1] = length(x); out[i * 8 + 2] = distance(x.xy, y.xy);
    out[i * 8 + 3] = n.x; out[i * 8 + 4] = n.z;
    out[i * 8 + 5] = c.x; out[i * 8 + 6] = c.y; out[i * 8 + 7] = c.z;"""
    )
    found = run1(body, {"a": a, "b": b}, (N, 8), "float32", grid=(N, 1, 1))
    x, y = a.astype(np.float64), b.astype(np.float64)
    n = x[:, :3] / np.linalg.norm(x[:, :3], axis=1)[:, None]
    c = np.cross(x[:, :3], y[:, :3])
    expected = [
        (x * y).sum(1),
        np.linalg.norm(x, axis=1),
        np.linalg.norm((x - y)[:, :2], axis=1),
        n[:, 0],
        n[:, 2],
        *c.T,
    ]
    size = (np.abs(x) * np.abs(y)).sum(1) + np.abs(x).sum(1) + np.abs(y).sum(1)
    size += np.abs(x).max(1) * np.abs(y).max(1) * 2
    assert (np.abs(found - np.stack(expected, axis=1)) <= 10 * 2.0**-24 * size[:, None]).all()


def test_functions_in_divergent_code() -> None:
    """Library functions are called for active lanes only, and change no others."""
    a = np.random.default_rng(10).uniform(0.1, 3, N).astype(np.float32)
    body = (
        INDEX
        + """float x = a[i];
    if (x > 1) { x = tanh(x); if (x > 0.9f) x = exp(x) + sinh(x); } else { x = log(x) * acosh(x + 1); }
    out[i] = x;"""
    )
    found = run1(body, {"a": a}, (N,), "float32")
    x = a.astype(np.float64)
    t = np.tanh(x)
    deep = np.exp(t) + np.sinh(t)
    # Which way 0.9 falls may differ in the last place only; no random number comes that close.
    expected = np.where(x > 1, np.where(t > 0.9, deep, t), np.log(x) * np.arccosh(x + 1))
    np.testing.assert_allclose(found, expected, rtol=20 * 2.0**-24, atol=4 * 2.0**-24)


@pytest.mark.parametrize("mode", ["safe", "relaxed", "fast"])
def test_math_modes(mode: str) -> None:
    a = np.random.default_rng(11).random(N).astype(np.float32)
    body = INDEX + "float t = 0; for (uint k = 0; k < 8; ++k) t += a[(i + k) % 97] * a[i]; out[i] = exp(t);"
    found = run1(body, {"a": a}, (N,), "float32", compile_options={"math_mode": mode})
    x = a.astype(np.float64)
    exact = np.exp(sum(x[(np.arange(N) + k) % N] * x for k in range(8)))
    np.testing.assert_allclose(found, exact, rtol=16 * 2.0**-24 * 8)
