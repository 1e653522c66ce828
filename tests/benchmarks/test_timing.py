"""Ratios and spreads, computed by hand here; nothing is judged by how long it took."""

from __future__ import annotations

import pytest

from benchmarks.timing import Spread, interleave, speed_ratio


def test_spread_is_the_median_and_the_quartiles() -> None:
    assert Spread.of([5.0, 1.0, 4.0, 2.0, 3.0]) == Spread(3.0, 2.0, 4.0)
    assert Spread.of([7.0]) == Spread(7.0, 7.0, 7.0)
    with pytest.raises(ValueError, match="values is empty"):
        Spread.of([])


def test_ratio_is_the_peers_time_over_ours_in_the_same_round() -> None:
    # The machine halves its speed in the last round. Paired, the ratio does not notice.
    assert speed_ratio([1.0, 1.0, 2.0], [3.0, 3.0, 6.0]) == Spread(3.0, 3.0, 3.0)
    # A peer twice as fast as we are.
    assert speed_ratio([2.0], [1.0]).median == 0.5
    with pytest.raises(ValueError, match="ours has 1 rounds and peer has 2"):
        speed_ratio([1.0], [1.0, 2.0])


def test_contenders_take_turns() -> None:
    calls: list[str] = []
    seconds = interleave(
        {"a": lambda: calls.append("a"), "b": lambda: calls.append("b")},
        rounds=3,
        burst_s=0,
        settle_s=0,
        warm_s=0,
    )
    assert {name: len(times) for name, times in seconds.items()} == {"a": 3, "b": 3}
    assert all(time >= 0 for times in seconds.values() for time in times)
    # Two calls each to see how long one takes; then one that does not count and three that do, in every turn.
    turn = ["a"] * 4 + ["b"] * 4
    assert calls == ["a", "a", "b", "b", *turn * 3]
