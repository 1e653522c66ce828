"""Answers that are no kernels: functions of numbers, and plain numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import mlx.core as mx
import numpy as np
import pytest

from grader.exercise import Exercise
from grader.grading import WrongKernel, grade, judged
from grader.headline import GROUPS
from grader.labs import QUESTIONS, find, task, tasks
from grader.question import Mistake, Question, Trial
from grader.report import Grade

SIZES = ((3, 4), (5, 2))


def right(width: int, height: int) -> dict[str, Any]:
    big = 2**33 * width
    return {
        "inner": {"area": width * height, "edge": 2 * (width + height)},
        "outer": {"area": width * height * 100, "edge": 4 * (width + height)},
        "ratio": width / height,
        "shape": (width, height),
        "big": big,
    }


def swapped(width: int, height: int) -> dict[str, Any]:
    return {"shape": (height, width)}


def square(width: int, height: int) -> dict[str, Any]:
    return {"inner": {"area": width * width}}


def draw(rng: np.random.Generator) -> Trial:
    width, height = (int(each) for each in rng.integers(6, 1000, 2))
    return Trial(f"a box of {width} × {height}", (width, height), drawn=True)


BOX = Question(
    lab="99",
    name="box",
    title="a box",
    asks="function",
    arguments=("width", "height"),
    cases=tuple(Trial(f"a box of {w} × {h}", (w, h)) for w, h in SIZES),
    expected=right,
    drawn=(draw,),
    mistakes=(
        Mistake("swapped", "{where} is {got}, it is {want}: width comes first.", "Width first.", swapped),
        Mistake(
            "squared", "{where} is the square of the width: {got}, not {want}.", "Width × height.", square
        ),
    ),
    steps=("Think.",),
    hints={"off-by-a-factor": "Mind the factor."},
)
PREDICT = replace(
    BOX,
    name="predict",
    asks="values",
    cases=tuple(Trial(f"the box {w}", (w, h), name=f"box{w}") for w, h in SIZES),
    drawn=(),
    mistakes=(),
    reveals=False,
)


def changed(change: Callable[[dict[str, Any], int], None]) -> Callable[[int, int], dict[str, Any]]:
    def answer(width: int, height: int) -> dict[str, Any]:
        values = right(width, height)
        change(values, width)
        return values

    return answer


def setting(name: str, value: Any, *group: str) -> Callable[[int, int], dict[str, Any]]:
    def change(values: dict[str, Any], _width: int) -> None:
        for each in group:
            values = values[each]
        values[name] = value

    return changed(change)


def test_a_right_answer_passes_in_any_numbers() -> None:
    assert judged(BOX, right).passed

    def numpys(width: int, height: int) -> dict[str, Any]:
        values = right(width, height)
        values["big"] = np.int64(values["big"])
        values["ratio"] = np.float64(width) / height * (1 + 1e-15)
        values["shape"] = np.array([width, height])
        values["inner"]["area"] = mx.array(width * height)
        values["more"] = "than was asked for"
        return values

    result = judged(BOX, numpys, seed=5)
    assert result.passed, str(result)
    assert result.checks == result.checks_passed == 3
    assert "All 3 checks passed" in str(result)
    assert judged(PREDICT, {"box3": right(3, 4), "box5": right(5, 2)}).passed


def kind(answer: Any, question: Question = BOX) -> tuple[str, str]:
    result = judged(question, answer, seed=1)
    assert not result.passed
    assert result.checks_passed < result.checks
    return result.kind, str(result)


def test_what_cannot_be_compared_is_refused_in_words() -> None:
    assert kind(7) == ("not-a-function", kind(7)[1])
    assert "needs a function of (width, height)" in kind(7)[1]
    assert kind(dict)[0] == "error"
    found, text = kind(lambda w, h: [1, 2])
    assert found == "not-a-mapping"
    assert "returns a list" in text
    found, text = kind(lambda w, h: {"innner": {"area": 3, "edge": 3}, **right(w, h), "inner": {}})
    assert found == "missing"
    assert "no `inner`" in text
    assert "`innner`, which nobody asked for" in text
    for value in (None, "12", True, float("nan"), (1, 2), mx.ones((3,))):
        assert kind(setting("big", value))[0] == "not-a-number", value
    assert kind(setting("shape", 3))[0] == "not-a-number"
    assert kind(lambda w, h: right(w, h), PREDICT)[0] == "not-values"
    assert kind({"box3": right(3, 4)}, PREDICT)[0] == "missing"
    assert kind({"box3": 3, "box5": 5}, PREDICT)[0] == "not-a-mapping"


def test_a_mistake_is_named_with_the_numbers() -> None:
    found, text = kind(lambda w, h: right(w, h) | swapped(w, h))
    assert found == "swapped"
    assert "First: shape is (4, 3), it is (3, 4): width comes first." in text
    assert "Seen with a box of 3 × 4." in text
    assert "Hint: Width first." in text
    assert "expected" in text


def test_the_earlier_mistake_leads_and_must_fit_everywhere() -> None:
    def both(values: dict[str, Any], width: int) -> None:
        values["inner"]["area"] = width * width
        values["shape"] = values["shape"][::-1]

    assert kind(changed(both))[0] == "swapped"

    def once(values: dict[str, Any], width: int) -> None:
        values["shape"] = values["shape"][::-1] if width == 3 else (0, 0)

    assert kind(changed(once))[0] == "wrong-value"


def test_mistakes_of_no_list_are_recognised() -> None:
    def half(values: dict[str, Any], _width: int) -> None:
        for name in ("inner", "outer"):
            values[name]["area"] /= 2

    found, text = kind(changed(half))
    assert found == "off-by-a-factor"
    assert "every `area` is 0.5 times" in text
    assert "Mind the factor." in text

    def short(values: dict[str, Any], _width: int) -> None:
        values["big"] = values["big"] % 2**32

    assert kind(changed(short))[0] == "overflow"
    found, text = kind(lambda w, h: right(3, 4))
    assert found == "always-the-same"
    assert "the answer about a box of 3 × 4" in text
    found, text = kind(setting("area", 1, "inner"))
    assert found == "wrong-value"
    assert "`inner.area` is wrong: yours is 1, it is 12" in text


def test_a_drawn_trial_names_its_seed_and_comes_again() -> None:
    table = {size: right(*size) for size in SIZES}

    def by_heart(width: int, height: int) -> dict[str, Any]:
        return table.get((width, height), right(3, 4))

    result = judged(BOX, by_heart)
    assert result.kind == "always-the-same"
    assert f"seed={result.seed}" in str(result)
    assert judged(BOX, by_heart, seed=result.seed).outcomes == result.outcomes


def test_what_is_not_to_be_revealed_is_not() -> None:
    values = {"box3": right(3, 4), "box5": right(5, 2)}
    values["box3"]["outer"]["area"] //= 2
    result = judged(PREDICT, values)
    assert result.kind == "wrong-value"
    for text in (str(result), result._repr_html_()):
        assert "0.5" in text
        assert f"{right(3, 4)['outer']['area']:,}" not in text


def test_the_arguments_are_the_learners_to_change() -> None:
    given: dict[str, int] = {"a": 3}

    def spends(config: dict[str, int]) -> dict[str, int]:
        return {"a": config.pop("a")}

    question = replace(
        BOX,
        cases=(Trial("once", (given,)), Trial("twice", (given,))),
        expected=lambda config: {"a": config["a"]},
        drawn=(),
        mistakes=(),
    )
    assert judged(question, spends).passed


def test_the_books_own_function_does_not_count() -> None:
    from kernels import tolerance

    def borrowed(width: int, height: int) -> Mapping[str, Any]:
        tolerance.exact(mx.ones((2,)))
        return right(width, height)

    assert kind(borrowed)[0] == "reference-called"


def test_strict_and_the_front_door(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(QUESTIONS, "99", (BOX, PREDICT))
    assert isinstance(grade("99.box", right, show=False), Grade)
    assert task("99.box") is BOX
    assert BOX in tasks()
    with pytest.raises(WrongKernel, match="width comes first"):
        grade("99.box", lambda w, h: right(w, h) | swapped(w, h), strict=True, show=False)
    with pytest.raises(ValueError, match="names 2 exercises"):
        task("99")
    with pytest.raises(ValueError, match="names no exercises"):
        find("99.box")  # where a kernel is wanted, to be timed
    assert isinstance(find("02"), Exercise)


def test_no_group_of_kernels_diagnoses_reorders_answers() -> None:
    """`first_to_fix` keeps the order of outcomes only for kinds that are in no group."""
    kinds = {"overflow", "always-the-same", "off-by-a-factor", "wrong-value", "missing", "not-a-number"}
    kinds |= {mistake.kind for each in tasks() if isinstance(each, Question) for mistake in each.mistakes}
    assert not kinds & frozenset().union(*GROUPS)


def test_a_function_may_return_an_array_that_is_read_into_a_mapping() -> None:
    def reads(result: object, width: int, height: int) -> dict[str, int]:
        if not isinstance(result, np.ndarray):
            raise ValueError(f"your function returns a {type(result).__name__}, and must return an array.")
        return {"area": int(result[0]), "width and height": int(result[1]) - width - height}

    question = replace(
        BOX,
        expected=lambda width, height: {"area": width * height, "width and height": 0},
        mistakes=(),
        reads=reads,
    )
    assert judged(question, lambda w, h: np.array([w * h, w + h]), seed=1).passed
    wrong = judged(question, lambda w, h: np.array([w * h + 1, w + h]), seed=1)
    assert wrong.diagnosis is not None
    assert "`area` is wrong: yours is 13, it is 12" in wrong.diagnosis.says
    unread = judged(question, lambda w, h: w * h, seed=1)
    assert unread.diagnosis is not None
    assert (unread.kind, unread.diagnosis.says) == (
        "wrong-result",
        "your function returns a int, and must return an array. Asked about a box of 3 × 4.",
    )
