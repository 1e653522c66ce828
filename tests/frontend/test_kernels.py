"""Finding kernels and what they take."""

from __future__ import annotations

import pytest

from anymetal import CompileError
from anymetal.frontend import Parameter, compile_source
from anymetal.frontend.kernels import THREAD_ATTRIBUTES, entry_name, find
from anymetal.frontend.source import Source

HEAD = "#include <metal_stdlib>\nusing namespace metal;\n"


def parameters(text: str) -> tuple[Parameter, ...]:
    definitions, _ = find(Source(text))
    (definition,) = definitions
    return definition.parameters


def test_buffers() -> None:
    assert parameters(
        "kernel void f(const device float* a [[buffer(3)]], constant metal::vec<int, 2>& n,"
        " device half4* out, threadgroup float* t [[threadgroup(1)]]) {}"
    ) == (
        Parameter("a", "buffer", 3, "float", None, "device", False, True),
        Parameter("n", "buffer", 0, "metal::vec<int, 2>", None, "constant", True, True),
        Parameter("out", "buffer", 1, "half4", None, "device", False, False),
        Parameter("t", "threadgroup", 1, "float", None, "threadgroup", False, False),
    )


def test_thread_attributes() -> None:
    (one, two) = parameters(
        "[[kernel]] void f(uint3 t [[thread_position_in_grid]], ushort l [[thread_index_in_simdgroup]]) {}"
    )
    assert one == Parameter("t", "attribute", None, "uint3", "thread_position_in_grid", None, False, False)
    assert two.attribute == "thread_index_in_simdgroup"
    assert two.type == "ushort"


def test_no_parameters() -> None:
    assert parameters("kernel void f() {}") == ()
    assert parameters("kernel void f(void) {}") == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("kernel void f(float* a) {}", "'a': pointer or reference needs an address space"),
        ("kernel void f(thread float* a) {}", "'a': pointer or reference needs an address space"),
        ("kernel void f(uint i) {}", "'i': invalid type 'uint'"),
        ("kernel void f(float4 p [[stage_in]]) {}", r"\[\[stage_in\]\] is not supported by anymetal"),
        ("kernel int f(device int* a) { return 1; }", "kernel 'f' must have void return type"),
        ("kernel int f;", "'kernel' belongs before a function"),
    ],
)
def test_bad_kernels(text: str, message: str) -> None:
    with pytest.raises(CompileError, match=message):
        compile_source(text)


def test_indices_may_be_sums() -> None:
    parameters = "device void* a [[buffer(BASE + 1)]], device int* b [[buffer((1 << 1) | 1)]]"
    text = f"#define BASE 4\nkernel void f({parameters}) {{}}"
    kernel = compile_source(text).kernels["f"]
    assert [p.index for p in kernel.parameters] == [5, 3]
    assert [p.element for p in kernel.parameters] == ["u8", "i32"]


def test_names_and_instantiations() -> None:
    text = HEAD + (
        "namespace lib { kernel void plain(device float* a) { a[0] = 1; } }\n"
        '[[host_name("renamed"), max_total_threads_per_threadgroup(256)]]\n'
        "kernel void r(device float* a) { a[0] = 2; }\n"
        "template <typename T, int N> kernel void t(device T* a) { a[0] = N; }\n"
        'template [[host_name("t_half")]] [[kernel]] decltype(t<half, 3>) t<half, 3>;\n'
        'template [[host_name("t_int")]] kernel void t<int, 4>(device int* a);\n'
        "#define make(name, ...) \\\n"
        "  template [[host_name(name)]] [[kernel]] decltype(t<__VA_ARGS__>) t<__VA_ARGS__>;\n"
        'make("t_" "uint", uint, 5)\n'
        "template [[kernel]] decltype(t<float, 6>) t<float, 6>;\n"
    )
    kernels = compile_source(text).kernels
    assert list(kernels) == ["plain", "renamed", "t_half", "t_int", "t_uint", "t<float,6>"]
    assert kernels["renamed"].max_threads == 256
    assert kernels["plain"].max_threads is None
    entries = [kernel.entry for kernel in kernels.values()]
    assert len(set(entries)) == len(entries)
    ir = compile_source(text).ir
    for entry in entries:
        assert f"void @{entry}()" in ir
    for stored in ("store half 0xH4200", "store i32 4", "store i32 5", "store float 6.0"):
        assert stored in ir


def test_an_instantiation_of_something_else() -> None:
    text = HEAD + "template <typename T> void g(device T* a) {}\n"
    text += 'template [[host_name("g")]] [[kernel]] decltype(g<int>) g<int>;\n'
    with pytest.raises(CompileError, match="explicit instantiation of 'g', which is not a kernel") as caught:
        compile_source(text)
    assert caught.value.line == 4


def test_entry_names_are_different_names() -> None:
    names = ["f", "f<int>", "f<int,4>", "f<int, 4>", "f_int"]
    assert len({entry_name(name) for name in names}) == len(names)
    assert all(entry_name(name).isidentifier() for name in names)


@pytest.mark.parametrize("type", ["uint", "ushort", "uint2", "ushort3", "uint3"])
def test_every_thread_attribute_has_a_value(type: str) -> None:
    names = sorted(THREAD_ATTRIBUTES)
    parameters = "".join(f", {type} v{k} [[{name}]]" for k, name in enumerate(names))
    first = "" if type in ("uint", "ushort") else ".x"
    body = "".join(f"a[{k}] = v{k}{first};" for k in range(len(names)))
    module = compile_source(f"kernel void f(device uint* a{parameters}) {{ {body} }}")
    assert [p.attribute for p in module.kernels["f"].parameters[1:]] == names
    assert module.ir.count("store i32") + 4 * module.ir.count("store <4 x i32>") >= len(names)


def test_buffers_without_an_index_take_the_free_ones() -> None:
    text = "kernel void f(device int* a, device int* b, device int* c [[buffer(0)]]) { a[0] = b[0] + c[0]; }"
    kernel = compile_source(text).kernels["f"]
    assert [p.index for p in kernel.parameters] == [1, 2, 0]
