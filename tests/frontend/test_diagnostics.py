"""A mistake is shown where the learner made it, whatever stood between that text and clang."""

from __future__ import annotations

from pathlib import Path

import pytest

from anymetal import CompileError
from anymetal.frontend import compile_source
from anymetal.frontend.diagnostics import clean

GENERATED = (
    "[[kernel]] void generated(device float* out [[buffer(0)]], const device float* a [[buffer(1)]], "
    "uint3 thread_position_in_grid [[thread_position_in_grid]]) {\n"
)


def mistake(source: str, header: str = "") -> CompileError:
    """What MLX's contract makes of a body and a header: both inside text that the learner never saw."""
    text = (
        '#line 1 "<generated>"\n#include <metal_stdlib>\nusing namespace metal;\n'
        f'#line 1 "header"\n{header}\n#line 1 "<generated>"\n{GENERATED}#line 1 "source"\n{source}\n'
        '#line 1 "<generated>"\n}\n'
    )
    with pytest.raises(CompileError) as caught:
        compile_source(text, files={"source": source, "header": header})
    assert "<generated>" not in str(caught.value)
    return caught.value


def at(error: CompileError) -> tuple[str | None, int | None, str]:
    """The file, the line, and what stands at the column."""
    assert error.text is not None
    assert error.column is not None
    return error.file, error.line, error.text[error.column - 1 :]


def test_the_body_counts_from_its_own_first_line() -> None:
    error = mistake("uint i = thread_position_in_grid.x;\nout[i] = a[i] + nowhere;")
    assert at(error) == ("source", 2, "nowhere;")
    assert str(error) == (
        "source:2:17: error: use of undeclared identifier 'nowhere'\n"
        "out[i] = a[i] + nowhere;\n"
        "                ^"
    )


def test_the_header_counts_from_its_own_first_line() -> None:
    error = mistake("out[0] = 1;", "\n\nfloat g(float x) { return y; }")
    assert at(error) == ("header", 3, "y; }")


def test_tabs_keep_the_caret_in_place() -> None:
    error = mistake("\tout[0] =\tnowhere;")
    assert str(error).splitlines()[-1] == "\t        \t^"


def test_comments_do_not_move_the_caret() -> None:
    assert at(mistake("/* about */ out[0] /* this */ = nowhere; // and that")) == (
        "source",
        1,
        "nowhere; // and that",
    )


def test_rewriting_does_not_move_the_caret() -> None:
    line = "threadgroup half4 t[2]; t[0] = half4(1.0h); out[0] = float4(t[0]).x + (float)1.5h + nowhere;"
    assert at(mistake(line)) == ("source", 1, "nowhere;")


def test_letters_of_several_bytes_do_not_move_the_caret() -> None:
    assert at(mistake('const char s[] = "größe – ½"; out[0] = nowhere;'))[2] == "nowhere;"
    assert at(mistake("/* größe */\n/* ½ */ #include"))[0] == "source"


def test_an_argument_of_a_macro() -> None:
    error = mistake("#define TWICE(x) ((x) * 2)\nout[0] = TWICE(nowhere);")
    assert at(error) == ("source", 2, "nowhere);")


def test_the_inside_of_a_macro() -> None:
    error = mistake("#define WRONG (1 + nowhere)\nout[0] = a[0] + WRONG;")
    assert at(error) == ("source", 2, "WRONG;")


def test_a_template_without_its_back_trace() -> None:
    error = mistake("out[0] = outer(a[0]);", "template <typename T> T inner(T x) { return x.missing; }\n"
                    "template <typename T> T outer(T x) { return inner(x); }")  # fmt: skip
    assert at(error)[:2] == ("header", 1)
    assert at(error)[2].startswith(".missing")
    assert "instantiation" not in str(error)


def test_a_mistake_inside_the_library_belongs_to_the_call() -> None:
    error = mistake("uint i = 0;\nout[i] = float4(a[0], a[1]).x;")
    assert at(error) == ("source", 2, "float4(a[0], a[1]).x;")
    assert "a vector needs exactly as many elements as it holds" in str(error)


def test_why_a_function_does_not_fit() -> None:
    error = mistake("out[0] = clamp(1.0f, 0, 2);")
    assert "no matching function for call to 'clamp'" in str(error)
    assert "deduced conflicting types" in str(error)


def test_a_note_with_a_place_of_its_own() -> None:
    error = mistake("float x = 1;\nfloat x = 2;")
    assert at(error) == ("source", 2, "x = 2;")
    assert "source:1:7: note: previous definition is here" in str(error)


def test_several_mistakes_and_not_too_many() -> None:
    error = mistake("\n".join(f"out[{k}] = nowhere{k};" for k in range(30)))
    assert str(error).count("error:") == 5
    assert error.line == 1


def test_a_mistake_of_the_preprocessor() -> None:
    error = mistake("#include <no_such_file>\n")
    assert at(error) == ("source", 1, "<no_such_file>")


def test_a_block_that_does_not_end() -> None:
    error = mistake("if (a[0] > 0) {\n  out[0] = 1;")
    assert at(error) == ("source", 1, "{")
    assert "expected '}' to match this '{'" in str(error)


def test_a_brace_too_many() -> None:
    error = mistake("out[0] = 1; }\nout[1] = 2;")
    assert at(error) == ("source", 1, "}")
    assert "extraneous closing brace" in str(error)


def test_included_files_are_quoted(tmp_path: Path) -> None:
    (tmp_path / "mine.h").write_text("// mine\nfloat g() { return nowhere; }\n")
    with pytest.raises(CompileError) as caught:
        compile_source(
            '#include "mine.h"\nkernel void f(device float* a) { a[0] = g(); }', include_dirs=[str(tmp_path)]
        )
    assert caught.value.file == str(tmp_path / "mine.h")
    assert caught.value.line == 2
    assert caught.value.text == "float g() { return nowhere; }"


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("of type '__attribute__((address_space(1))) float *'", "of type 'device float *'"),
        ("'const __attribute__((address_space(2))) int *'", "'constant int *'"),
        ("'half4' (vector of 4 'half' values) to 'float4'", "'half4' to 'float4'"),
        ("'float __attribute__((ext_vector_type(4)))'", "'float4'"),
        ("'device _Float16 const *'", "'const device half *'"),
        ("'this' object is in address space '3'", "'this' object is in the threadgroup address space"),
        ("static assertion failed due to requirement 'x<1>': words", "words"),
        ("'uint' (aka 'unsigned int')", "'uint'"),
    ],
)
def test_in_the_words_of_metal(said: str, shown: str) -> None:
    assert clean(said) == shown
