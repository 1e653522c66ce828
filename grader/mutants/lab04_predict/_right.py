"""The right numbers, counted by hand; most mutants get one of them wrong."""

from __future__ import annotations

RIGHT = {
    "every_other": {"x": (4096, 4096, 256), "y": (4096, 4096, 128)},
    "rows": {"x": (61440, 640, 480), "w": (61440, 61440, 15360), "y": (384, 384, 12)},
    "textbook": {"x": (49152, 768, 768), "w": (49152, 6144, 1536), "y": (1024, 1024, 32)},
}
NAMES = ("asked", "must_move", "sectors")


def changed(change):
    """The answers, after `change(kernel, array, row)` has been at each row."""
    answers = {}
    for kernel, arrays in RIGHT.items():
        answers[kernel] = {}
        for array, numbers in arrays.items():
            row = dict(zip(NAMES, numbers, strict=True))
            change(kernel, array, row)
            answers[kernel][array] = row
    return answers
