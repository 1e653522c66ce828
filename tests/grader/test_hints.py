"""Hints open one at a time, and cost nothing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader import hint
from grader.grading import judged
from grader.hints import close, opened
from grader.labs import find, tasks


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    close("02")
    yield
    close("02")


def test_they_open_in_order_and_stop_at_the_last() -> None:
    total = len(find("02").steps)
    seen = [hint("02") for _ in range(total + 2)]
    assert [each.number for each in seen] == [*range(1, total + 1), total, total]
    assert "Hint 1 of" in str(seen[0])
    assert "the last one" in str(seen[-1])
    assert opened("02") == total


def test_the_report_counts_them_for_information() -> None:
    def wrong(x: object, w: object) -> None:
        return None

    before = judged(find("02"), wrong, seed=1)
    hint(2)
    after = judged(find("02"), wrong, seed=1)
    assert "opened" not in str(before)
    assert "Hints opened: 1" in str(after)
    assert after.summary()["hints"] == 1
    assert after.checks_passed == before.checks_passed


def test_every_lab_has_hints() -> None:
    assert all(exercise.steps for exercise in tasks())
