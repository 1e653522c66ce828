"""What the learner reads."""

from __future__ import annotations

import subprocess
import sys
from html.parser import HTMLParser

import mlx.core as mx
import numpy as np
import pytest

from grader import mutants
from grader.diagnose import where
from grader.exercise import Kernel
from grader.grading import WrongKernel, grade, judged
from grader.labs import find
from grader.mutants.lab02._right import SOURCE

LAB = find("02")
RIGHT = LAB.launch(SOURCE)


def mutant(name: str) -> Kernel:
    (chosen,) = (each for each in mutants.of(LAB) if each.name == name)
    return chosen.make()


class Reader(HTMLParser):
    """Checks that tags are closed in order, and collects the text."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def read(html: str) -> str:
    reader = Reader()
    reader.feed(html)
    assert reader.open == []
    return reader.text


def test_a_pass_says_so_and_is_the_same_text_for_any_numbers(capsys: pytest.CaptureFixture[str]) -> None:
    result = grade("02", RIGHT)
    printed = capsys.readouterr().out
    assert result.passed
    assert result.kind == "passed"
    assert result.diagnosis is None
    assert result.checks_passed == result.checks == len(result.outcomes)
    assert printed.startswith("Lab 02 · the textbook matmul: passed\n")
    assert printed == str(judged(LAB, RIGHT, seed=99)) + "\n"
    assert "passed" in read(result._repr_html_())


def test_a_failure_says_first_what_to_fix() -> None:
    result = judged(LAB, mutant("transposed_store"), seed=3)
    lines = str(result).splitlines()
    assert lines[0].startswith("Lab 02 · the textbook matmul: not yet, ")
    assert lines[2].startswith("First: your result is the transpose")
    assert lines[3].startswith("Seen with M = 2, N = 3, K = 4, float32")
    assert lines[-1].startswith("Hint: ")
    assert len(lines) < 16
    assert all(len(line) < 200 for line in lines)


def test_at_most_five_wrong_elements_with_their_places_and_numbers() -> None:
    result = judged(LAB, mutant("mean"), seed=3)
    outcome = next(each for each in result.outcomes if each.diagnoses)
    assert 1 <= len(outcome.wrong) <= 5
    for wrong in outcome.wrong:
        assert wrong.got == pytest.approx(wrong.want / 4, rel=1e-5)
        assert f"y[{wrong.index[0]}, {wrong.index[1]}]" in str(result)


def test_the_same_seed_gives_the_same_report_and_a_random_one_names_itself() -> None:
    first, second = (judged(LAB, mutant("tail_off_by_one"), seed=8) for _ in range(2))
    assert str(first) == str(second)
    assert "seed" not in str(first)
    free = judged(LAB, mutant("tail_off_by_one"))
    assert f"seed={free.seed}" in str(free)
    again = judged(LAB, mutant("tail_off_by_one"), seed=free.seed)
    assert again.outcomes == free.outcomes


def test_html_says_what_the_text_says_and_escapes_what_a_kernel_may_hold() -> None:
    for name in ("transposed_store", "does_not_compile", "untouched", "raises"):
        result = judged(LAB, mutant(name), seed=3)
        assert result.diagnosis is not None
        text = read(result._repr_html_())
        assert result.diagnosis.hint.replace("`", "") in text
        assert "not yet" in text

    def nasty(x: mx.array, w: mx.array) -> mx.array:
        raise RuntimeError("<script>alert(1)</script>")

    html = judged(LAB, nasty, seed=3)._repr_html_()
    assert "<script>" not in html
    assert "<script>alert(1)</script>" in read(html)


def test_a_compile_error_shows_the_learners_line() -> None:
    text = str(judged(LAB, mutant("does_not_compile"), seed=3))
    assert "does not compile" in text
    assert "total += float(x[m * K + k]) * float(w[k * N + n]);" in text


def test_elements_that_were_not_written_are_not_shown_as_numbers() -> None:
    result = judged(LAB, mutant("untouched"), seed=3)
    assert all(wrong.got is None for wrong in result.outcomes[0].wrong)
    assert "nothing" in str(result)
    assert "12288" not in str(result)


def test_strict_raises_with_the_report_and_nothing_else_does() -> None:
    with pytest.raises(WrongKernel, match="your result is the transpose"):
        grade("02", mutant("transposed_store"), strict=True, show=False)
    assert grade("02", RIGHT, strict=True, show=False).passed
    for wrong in (None, 3, mx.ones((2, 2)), lambda: None, lambda x, w: 1 / 0, lambda x, w: None):
        result = grade("02", wrong, show=False)
        assert not result.passed
        assert result.diagnosis is not None


@pytest.mark.parametrize("lab", ["02", 2, "2", "02_textbook"])
def test_a_lab_goes_by_several_names(lab: str | int) -> None:
    assert find(lab) is LAB


@pytest.mark.parametrize("lab", ["98", "textbook", "", 99, "02.other"])
def test_an_unknown_lab_is_named_with_those_there_are(lab: str | int) -> None:
    with pytest.raises(ValueError, match=r"lab is .*must be one of '01', '02'"):
        grade(lab, RIGHT)


def test_a_kernel_made_before_the_grader_was_imported_is_told_so() -> None:
    factory = mx.fast.metal_kernel
    try:
        mx.fast.metal_kernel = factory.__wrapped__  # type: ignore[attr-defined]
        early = LAB.launch(SOURCE)
    finally:
        mx.fast.metal_kernel = factory
    result = judged(LAB, early, seed=1)
    assert result.kind == "no-launch"
    assert "before the grader was imported" in str(result)


def test_places_are_said_in_words() -> None:
    mask = np.zeros((5, 7), bool)
    mask[:, 6] = True
    assert where(mask) == "column 6"
    mask[:, 5] = True
    assert where(mask) == "the last 2 columns"
    mask[4] = True
    assert where(mask) == "the last row and the last 2 columns"
    assert where(~mask) == "the first 4 × 5 block"
    assert where(np.ones((2, 2), bool)) == "every element"
    mask = np.zeros((5, 7), bool)
    mask[1, 2] = mask[3, 3] = True
    assert where(mask) == "2 of 35 elements"
    assert where(np.array([True, True, False, False])) == "the first 2 elements"


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("first_row_only", "row 1 of y was never written; the rest is right."),
        ("guard_too_strict", "column 2 of y was never written; the rest is right."),
        ("full_tiles_only", "no element of y was ever written."),
        ("swapped_axes", "the last column of y was never written: rows and columns"),
    ],
)
def test_what_was_not_written_is_said_in_good_grammar(name: str, said: str) -> None:
    assert said in str(judged(LAB, mutant(name), seed=0))


def test_importing_the_grader_alone_makes_kernels_run() -> None:
    program = (
        "import grader, mlx.core as mx\n"
        "k = mx.fast.metal_kernel(name='k', input_names=['x'], output_names=['y'], source='y[0] = x[0];')\n"
        "print(k(inputs=[mx.ones((9,))], grid=(1, 1, 1), threadgroup=(1, 1, 1), output_shapes=[(1,)],\n"
        "        output_dtypes=[mx.float32])[0].item())"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.stdout.strip() == "1.0", done.stderr
