"""Metal in, C++ out: one snippet for each thing that is rewritten."""

from __future__ import annotations

import pytest

from anymetal.frontend import constants, kernels, repair, rewrite
from anymetal.frontend.edits import Edits
from anymetal.frontend.source import Refused, Source


def rewritten(text: str, values: dict[int | str, constants.Value] | None = None) -> str:
    """The text as clang gets it, with runs of blanks made one, to be read."""
    source = Source(text)
    definitions, instantiations = kernels.find(source)
    edits = Edits(text)
    rewrite.rewrite(source, edits, definitions, instantiations, values or {})
    return " ".join(edits.apply().text.split())


def only(text: str, change: object) -> str:
    """The text after one pass."""
    edits = Edits(text)
    change(Source(text), edits)  # type: ignore[operator]
    return edits.apply().text


@pytest.mark.parametrize("word", ["kernel", "[[kernel]]"])
def test_a_kernel_becomes_an_ordinary_function(word: str) -> None:
    text = f"{word} void f(device float* a [[buffer(0)]]) {{ }}"
    after = only(text, rewrite.kernel_keywords)
    assert after.split() == ["static", *text.split()[1:]]
    assert len(after) == len(text)


def test_attributes_go_and_nothing_moves() -> None:
    text = "void f(uint i [[thread_position_in_grid]], int j);"
    after = only(text, rewrite.attributes)
    assert "[[" not in after
    assert after.index("int j") == text.index("int j")


@pytest.mark.parametrize(
    ("declaration", "static"),
    [
        ("threadgroup float tile[4][4];", True),
        ("threadgroup metal::vec<float, 4> tile[N == 0 ? 1 : N];", True),
        ("const threadgroup float tile[4];", True),
        ("threadgroup float* p = tile;", False),
        ("const threadgroup float& r = tile[0];", False),
    ],
)
def test_threadgroup_variables_become_static(declaration: str, static: bool) -> None:
    after = rewritten(f"kernel void f() {{ {declaration} }}")
    assert (f"{{ static {declaration.removesuffix(';')} {rewrite.SHARED};" in after) == static
    assert ("static const" in after or "static threadgroup" in after) == static


def test_every_declarator_of_threadgroup_memory() -> None:
    after = rewritten("kernel void f() { threadgroup float a[2], b; }")
    assert after.endswith(f"{{ static threadgroup float a[2] {rewrite.SHARED}, b {rewrite.SHARED}; }}")


def test_threadgroup_memory_takes_no_initializer() -> None:
    with pytest.raises(Refused, match="cannot have an initializer"):
        rewritten("kernel void f() { threadgroup int a = 3; }")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("void f(constant const long strides[2], int n)", "void f(constant const long *strides , int n)"),
        ("void f(float own[2])", "void f(float own[2])"),
        ("x = a[2], b[3];", "x = a[2], b[3];"),
    ],
)
def test_array_parameters_in_an_address_space_are_pointers(before: str, after: str) -> None:
    assert " ".join(only(before, rewrite.array_parameters).split()) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("1.5h", "((half)1.5f)"),
        ("2h", "((half)2.0f)"),
        ("0.1bf", "((bfloat)0.1f)"),
        ("1e-3hf", "((half)1e-3f)"),
        ("0x1.8p3h", "((half)0x1.8p3f)"),
        ("0x1F", "0x1F"),
        ("0xEf", "0xEf"),
        ("1.5", "1.5f"),
        (".5", ".5f"),
        ("2.", "2.f"),
        ("1e-3", "1e-3f"),
        ("0x1.8p3", "0x1.8p3f"),
        ("12", "12"),
        ("1'000", "1'000"),
        ("5ul", "5ul"),
        ("1.5f", "1.5f"),
        ("3u", "3u"),
    ],
)
def test_literals(before: str, after: str) -> None:
    assert only(before, rewrite.literals) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("v = float4(u.xy, 0, 1);", "v = __simt::make<float4>(u.xy, 0, 1);"),
        ("v = metal::float4(0);", "v = __simt::make<metal::float4>(0);"),
        ("short2 v(x, 1);", "short2 v = __simt::make<short2>(x, 1);"),
        ("float2 a(x, y), b(0);", "float2 a = __simt::make<float2>(x, y), b = __simt::make<float2>(0);"),
        ("half4 v(float4(x));", "half4 v = __simt::make<half4>(__simt::make<float4>(x));"),
        ("float4 f(float x, float y);", "float4 f(float x, float y);"),
        ("float4 f(float4 v);", "float4 f(float4 v);"),
        ("float4 f();", "float4 f();"),
        ("v = vec<T, 4>(x, y);", "v = __simt::make<vec<T, 4>>(x, y);"),
        ("float4 f(float4 x);", "float4 f(float4 x);"),
        ("float4 (*rows)[8];", "float4 (*rows)[8];"),
        ("operator float4() const", "operator float4() const"),
        ("using V = float4; v = V(1, x);", "using V = float4; v = __simt::make<V>(1, x);"),
        ("typedef half4 V; v = V(1);", "typedef half4 V; v = __simt::make<V>(1);"),
        (
            "template <typename T> T f() { return T(1); }",
            "template <typename T> T f() { return __simt::make<T>(1); }",
        ),
    ],
)
def test_constructors_of_vectors(before: str, after: str) -> None:
    assert only(before, rewrite.constructors) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("(float4)h + 1", "__simt::cast<float4>(h) + 1"),
        ("(half)-x.y[2](3) * z", "__simt::cast<half>(-x.y[2](3)) * z"),
        ("(half4)(float4)x", "__simt::cast<half4>(__simt::cast<float4>(x))"),
        ("(half)f<3>(x)", "__simt::cast<half>(f<3>(x))"),
        ("(float)x", "(float)x"),
        ("sizeof(half) * x", "sizeof(half) * x"),
        ("f(half4)", "f(half4)"),
    ],
)
def test_casts_in_c_style(before: str, after: str) -> None:
    assert only(before, rewrite.c_casts) == after


def test_static_casts() -> None:
    assert only("static_cast<half4>(v)", rewrite.casts) == "__simt::cast<half4>(v)"
    assert only("static_cast<int>(v)", rewrite.casts) == "static_cast<int>(v)"
    assert only("static_cast<half&>(v)", rewrite.casts) == "static_cast<half&>(v)"


def test_methods_lose_their_address_space() -> None:
    after = rewritten("struct S { int x; int get() const thread { return x; } int set() device; };")
    assert "int get() const { return x; }" in after
    assert "int set() ;" in after


def test_one_method_for_every_address_space() -> None:
    text = "struct S { int x; int get() const { return x; } int get() const device { return x; } };"
    assert rewritten(text).count("int get() const") == 1


def test_overloads_stay() -> None:
    text = "struct S { int x; int get(int) thread { return x; } int get(float) device { return x; } };"
    assert rewritten(text).count("int get(") == 2


def test_structs_can_be_copied_from_every_address_space() -> None:
    after = rewritten("struct S { int x; };")
    assert "S()=default;" in after
    for space in ("", "device ", "constant ", "threadgroup "):
        assert f"S(const {space}S&)=default;" in after


def test_a_struct_with_constructors_keeps_them() -> None:
    after = rewritten("struct S { int x; S(int a) : x(a) {} S(const thread S& o) : x(o.x) {} };")
    assert "S()=default;" not in after
    assert "=default" in after  # the assignments
    assert "S(const device S&)" not in after


def test_instantiations_leave_no_trace() -> None:
    text = (
        "template <typename T> kernel void f(device T* a) {}\n"
        'template [[host_name("f_half")]] [[kernel]] decltype(f<half>) f<half>;'
    )
    assert "decltype" not in rewritten(text)


def test_function_constants_get_their_values() -> None:
    text = "constant int n [[function_constant(3)]]; constant bool b [[function_constant(4)]];"
    after = rewritten(text, {3: 7, "b": True})
    assert "static constexpr constant int n = 7;" in after
    assert "static constexpr constant bool b = true;" in after


def test_a_function_constant_without_a_value_can_be_asked_about() -> None:
    text = (
        "constant int n [[function_constant(3)]]; constant int m = is_function_constant_defined(n) ? n : 5;"
    )
    assert "constant int m = false ? n : 5;" in rewritten(text)
    assert "constant int m = true ? n : 5;" in rewritten(text, {3: 1})


def test_repairs_enclose_what_was_rewritten() -> None:
    text = "a[int(float4(1, 2, 3, 4).x)] = b;"
    end = text.index(" =")
    edits = Edits(text)
    wanted = [repair.Repair(0, end, "place(", ")")]
    repair.apply(wanted, edits, lambda e: rewrite.constructors(Source(text), e))
    assert edits.apply().text == "place(a[int(__simt::make<float4>(1, 2, 3, 4).x)]) = b;"
