"""What Apple's compiler refuses is refused, at the right place and in words that say what to do."""

from __future__ import annotations

import pytest

from anymetal import CompileError
from anymetal.frontend import compile_source

HEAD = "#include <metal_stdlib>\nusing namespace metal;\n"

# Code before the kernel, the kernel's body, the message, and the text that the caret stands under.
REFUSED = {
    "double": ("", "double x = 1; a[i] = x;", "'double' is not supported in Metal", "double"),
    "long double": ("", "long double x = 1;", "'double' is not supported in Metal", "double"),
    "long long": ("", "long long x = 1;", "'long long' is not supported in Metal", "long long"),
    "goto": ("", "goto end; end: a[i] = 1;", "'goto' is not supported in Metal", "goto"),
    "new": ("", "thread float* p = new float[3];", "'new' is not supported in Metal", "new"),
    "delete": ("", "delete a;", "'delete' is not supported in Metal", "delete"),
    "virtual": (
        "struct S { virtual int f() { return 1; } };",
        "a[i] = 1;",
        "virtual functions are not supported",
        "virtual",
    ),
    "try": ("", "try { a[i] = 1; } catch (...) {}", "exceptions are not supported in Metal", "try"),
    "throw": ("", "throw 1;", "exceptions are not supported in Metal", "throw"),
    "dynamic_cast": (
        "struct S { int x; };",
        "S s; thread S* p = dynamic_cast<thread S*>(&s);",
        "'dynamic_cast' is not supported",
        "dynamic_cast",
    ),
    "typeid": ("", "auto x = typeid(int);", "'typeid' is not supported in Metal", "typeid"),
    "thread_local": (
        "",
        "thread_local int x = 3;",
        "'thread_local' is not supported in Metal",
        "thread_local",
    ),
    "asm": ("", 'asm("nop");', "'asm' is not supported in Metal", "asm"),
    "recursion": (
        "int down(int n) { return n < 2 ? 1 : n * down(n - 1); }",
        "a[i] = down(int(i));",
        "recursion is not supported in Metal: 'down' calls itself",
        "down(n",
    ),
    "mutual recursion": (
        "int odd(int n);\nint even(int n) { return n == 0 ? 1 : odd(n - 1) * 3; }\n"
        "int odd(int n) { return n == 0 ? 0 : even(n - 1) + 1; }",
        "a[i] = even(int(i));",
        "recursion is not supported in Metal",
        None,
    ),
    "function pointer": (
        "int one(int x) { return x + 1; }\nint two(int x) { return x * 2; }",
        "int (*p)(int) = i % 2 ? one : two; a[i] = p(i);",
        "function pointers are not supported",
        "(*p)",
    ),
    "pointer without a space": (
        "",
        "float* p = a;",
        "cannot initialize a variable of type 'float \\*' with an lvalue of type 'device float \\*'",
        "p = a",
    ),
    "argument without a space": (
        "float first(thread float* p) { return p[0]; }",
        "a[i] = first(a);",
        "no matching function for call to 'first'",
        "first(a)",
    ),
    "lost const": ("", "device float* p = b;", "cannot initialize a variable of type 'device float", "p = b"),
    "write through const": ("", "b[i] = 1;", "read-only variable is not assignable", "= 1"),
    "write to constant": (
        "constant float t[2] = {1, 2};",
        "t[0] = 1;",
        "cannot assign to variable 't'",
        "= 1",
    ),
    "threadgroup outside": ("threadgroup float t[4];", "", "must reside in constant address space", "t[4]"),
    "threadgroup in a function": (
        "void g() { threadgroup float t[4]; t[0] = 1; }",
        "g();",
        "variable 't' in threadgroup address space must be declared in a kernel's body",
        "t[4]",
    ),
    "threadgroup in a struct": (
        "struct S { threadgroup float t[4]; };",
        "",
        "variable 't' in threadgroup address space must be declared in a kernel's body",
        "t[4]",
    ),
    "threadgroup initializer": (
        "",
        "threadgroup float t[2] = {1, 2};",
        "threadgroup address space cannot have an initializer",
        "= {",
    ),
    "global variable": (
        "int counter = 0;",
        "a[i] = counter;",
        "'counter' must reside in constant",
        "counter",
    ),
    "global constexpr": ("constexpr int n = 4;", "a[i] = n;", "'n' must reside in constant", "n = 4"),
    "static variable": (
        "",
        "static int x = 0; a[i] = x++;",
        "static variable 'x' must reside in constant",
        "x = 0",
    ),
    "variable-length array": ("", "int n = i; float x[n]; a[i] = x[0];", "variable length array", None),
    "texture": ("void g(texture2d<float> t) {}", "", "texture2d is not supported by anymetal", "texture2d"),
    "sampler": (
        "",
        "constexpr sampler s(coord::normalized);",
        "sampler is not supported by anymetal",
        "sampler",
    ),
    "fragment function": (
        "fragment float4 g() { return 1; }",
        "",
        "fragment functions are not supported",
        "fragment",
    ),
    "undefined function": ("int g(int x);", "a[i] = g(i);", "'g' is declared but not defined", "g(int"),
    "standard library": ("#include <vector>", "", "'vector' file not found", None),
    "ambiguous maximum": ("", "a[i] = max(1, 1.0f);", "no matching function for call to 'max'", "max"),
    "maximum of half and float": (
        "",
        "a[i] = max(1.0h, 1.0f);",
        "no matching function for call to 'max'",
        "max",
    ),
    "too few elements": (
        "",
        "float4 v = float4(1, 2, 3);",
        "a vector needs exactly as many elements",
        "float4(1",
    ),
    "vector of another length": (
        "",
        "float4 v = float4(float3(1));",
        "a vector converts only to a vector of the same length",
        "float4(float3",
    ),
    "implicit conversion of vectors": (
        "",
        "half4 h = float4(1);",
        "cannot initialize a variable of type 'half4'",
        "h =",
    ),
    "write through a method": (
        "struct S { int x; void set(int v) { x = v; } };",
        "((device S*)a)->set(3);",
        "cannot initialize object parameter of type 'S' with an expression of type 'device S'",
        None,
    ),
    "sum of pointers": ("", "a[i] = *simd_sum(a);", "takes numbers and vectors of numbers", "simd_sum"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(name: str) -> None:
    before, body, message, under = REFUSED[name]
    parameters = "device float* a, const device float* b, uint i [[thread_position_in_grid]]"
    text = f"{HEAD}{before}\nkernel void f({parameters}) {{\n  {body}\n}}\n"
    with pytest.raises(CompileError, match=message) as caught:
        compile_source(f'#line 1 "mine"\n{text}', files={"mine": text})
    error = caught.value
    assert error.file == "mine"
    assert error.line is not None
    assert error.column is not None
    assert error.text == text.splitlines()[error.line - 1]
    assert f"mine:{error.line}:{error.column}: error: " in str(error)
    assert "__simt" not in str(error)
    assert "__attribute__" not in str(error)
    if under is not None:
        assert error.text[error.column - 1 :].startswith(under)


def test_what_only_looks_like_it_is_allowed() -> None:
    text = (
        HEAD
        + """
    struct counter { int value; counter() = default; counter(const thread counter&) = delete; };
    struct node { int new_value; int delete_me; };
    constant constexpr int n = 4;
    template <typename T> constant T zero = T(0);
    int overloaded(float x) { return int(x); }
    int overloaded(int x) { return overloaded(float(x)); }
    struct tree { int depth; int size(int n) const { return n; } };
    int size(int n) { tree t = {n}; return t.size(n); }
    kernel void f(device int* a) {
      node x = {1, 2};
      a[0] = x.new_value + x.delete_me + n + zero<int> + overloaded(3) + size(2);
    }
    """
    )
    assert "store i32 12" in compile_source(text).ir
