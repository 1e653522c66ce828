"""A list of rows, without their names."""

from __future__ import annotations

from grader.mutants.lab01._right import Census

CAUSE = "not-a-mapping"


def answer(config, tokens):
    return [*Census()(config, tokens).values()]
