"""The lexer and the map of changes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from anymetal.frontend.edits import Edits
from anymetal.frontend.source import Attribute, Source
from anymetal.frontend.tokens import LINE, close_angle, match_brackets, tokenize


def texts(source: str) -> list[str]:
    return [token.text for token in tokenize(source)]


def test_tokens_have_their_places() -> None:
    source = 'a += b[0x1F] -> c("x;y") /'
    for token in tokenize(source):
        assert source[token.start : token.end] == token.text
    assert texts(source) == ["a", "+=", "b", "[", "0x1F", "]", "->", "c", "(", '"x;y"', ")", "/"]


def test_numbers_stay_whole() -> None:
    assert texts("1.0e-3f .5h 0x1p-3 1'000u 2-1") == ["1.0e-3f", ".5h", "0x1p-3", "1'000u", "2", "-", "1"]


def test_a_preprocessor_line_is_one_token() -> None:
    assert [t.kind for t in tokenize('# 3 "f"\nx\n')] == [LINE, "word"]


def test_brackets_of_templates_close_one_by_one() -> None:
    tokens = tokenize("vec<vec<T, 2>, 3>(x)")
    assert close_angle(tokens, 1, match_brackets(tokens)) == 10


def test_a_comparison_is_no_template() -> None:
    tokens = tokenize("if (a < b && c > d) {}")
    assert close_angle(tokens, 3, match_brackets(tokens)) is None


def test_a_comparison_inside_a_template() -> None:
    tokens = tokenize("enable_if_t<sizeof(T) < 8, bool> x")
    assert tokens[close_angle(tokens, 1, match_brackets(tokens)) or 0].end == len(
        "enable_if_t<sizeof(T) < 8, bool>"
    )


def test_attributes_and_their_arguments() -> None:
    source = Source("[[kernel, max_total_threads_per_threadgroup(2 * 32)]] void f(int a [[buffer(3)]]);")
    assert list(source.attributes.values()) == [
        [Attribute("kernel", None), Attribute("max_total_threads_per_threadgroup", "2 * 32")],
        [Attribute("buffer", "3")],
    ]


def test_subscripts_of_subscripts_are_no_attributes() -> None:
    assert Source("x = a[b[1]];").attributes == {}


def test_places_follow_the_line_markers() -> None:
    source = Source('# 1 "main"\none\n# 7 "header" 1\ntwo\nthree\n# 3 "main" 2\nfour\n')
    place = source.place(source.text.index("three"))
    assert (place.file, place.line, place.column) == ("header", 8, 1)
    assert source.place(source.text.index("four")).line == 3
    number = source.line_number("header", 8)
    assert number is not None
    start, end = source.line_span(number)
    assert source.text[start:end] == "three"
    assert source.line_number("header", 99) is None


@given(
    st.text("abc \n", max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(0, 5), st.text("XYZ", max_size=4)), max_size=5),
)
def test_what_is_not_changed_comes_from_where_it_was(
    source: str, changes: list[tuple[int, int, str]]
) -> None:
    edits = Edits(source)
    touched = set()
    at = 0
    for start, size, text in sorted(changes):
        start, end = min(start, len(source)), min(start + size, len(source))
        if start < at:
            continue
        at = end + 1
        touched |= set(range(start, end))
        edits.replace(start, end, text)
    edited = edits.apply()
    kept = [(i, c) for i, c in enumerate(edited.text) if c not in "XYZ"]
    assert [c for _, c in kept] == [c for i, c in enumerate(source) if i not in touched]
    for i, c in kept:
        assert source[edited.origin(i)] == c


def test_blanks_keep_lines_and_columns() -> None:
    edits = Edits("a [[x\ny]] b")
    edits.blank(2, 9)
    assert edits.apply().text == "a    \n    b"
