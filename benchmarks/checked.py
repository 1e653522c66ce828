"""What it costs to be watched: each reference kernel in checked mode against itself in fast mode."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import anymetal
from benchmarks.cases import CASES
from benchmarks.goals import Row
from benchmarks.peers import ours
from benchmarks.timing import Spread, interleave, speed_ratio

KEYS = ("simd-gemv", "naive-gemv", "tiled-gemm", "mma-gemm")
GOAL = 1 / 25


def compare(*, rounds: int, tiny: bool = False) -> Iterator[Row]:
    """A row for each kernel; checked mode uses one thread, fast mode all of them."""
    for case in CASES:
        if case.key not in KEYS:
            continue
        contender = ours.contender(case.tiny if tiny else case.product, case.kernel)

        def watched(run: Callable[[], object] = contender.run) -> None:
            with anymetal.checked():
                run()

        seconds = interleave({"checked": watched, "fast": contender.run}, rounds=rounds)
        yield Row(
            f"{case.title}, checked",
            Spread.of(seconds["checked"]),
            "the same, fast",
            Spread.of(seconds["fast"]),
            speed_ratio(seconds["checked"], seconds["fast"]),
            GOAL,
        )
