"""Every wrong kernel is refused, and for its own reason."""

from __future__ import annotations

import pytest

from grader import catalogue, mutants
from grader.exercise import Exercise
from grader.grading import judged
from grader.labs import LABS, tasks
from grader.mutants import Mutant
from grader.question import Question

EXERCISES = tasks()
MUTANTS = [
    pytest.param(exercise, mutant, id=f"{exercise.id}-{mutant.name}")
    for exercise in EXERCISES
    for mutant in mutants.of(exercise)
]


@pytest.mark.parametrize(("exercise", "mutant"), MUTANTS)
def test_a_mutant_is_refused_with_its_cause_named(exercise: Exercise | Question, mutant: Mutant) -> None:
    result = judged(exercise, mutant.make(), seed=catalogue.SEED)
    assert not result.passed
    assert result.kind == mutant.cause, str(result)
    assert not result.machine_at_fault
    guide = catalogue.GUIDE.read_text(encoding="utf-8")
    assert catalogue.row(exercise, mutant, result) in guide, "out of date: run python -m grader.catalogue"


def test_the_instructors_guide_lists_these_mutants_and_no_others() -> None:
    rows = catalogue.written(catalogue.GUIDE.read_text(encoding="utf-8")).splitlines()[2:]
    listed = [tuple(cell.strip() for cell in row.split("|")[1:3]) for row in rows]
    assert listed == [(e.id, m.name) for e in EXERCISES for m in mutants.of(e)]


@pytest.mark.parametrize("name", ["half_accumulator", "half_products", "nan_spread"])
def test_the_cause_does_not_depend_on_the_numbers(name: str) -> None:
    (exercise,) = LABS["02"]
    (mutant,) = (each for each in mutants.of(exercise) if each.name == name)
    for seed in (2, 3):
        assert judged(exercise, mutant.make(), seed=seed).kind == mutant.cause


@pytest.mark.parametrize("lab", sorted({exercise.lab for exercise in EXERCISES}))
def test_every_lab_has_mutants_of_many_kinds(lab: str) -> None:
    every = [mutant for exercise in EXERCISES if exercise.lab == lab for mutant in mutants.of(exercise)]
    kinds = {mutant.cause for mutant in every}
    assert len(every) >= 12
    # Lab 02 teaches what every later one takes for granted, and tries all that can be wrong with a launch.
    assert len(kinds) >= (20 if lab == "02" else 10), f"lab {lab} tries only {sorted(kinds)}"
    assert all(mutant.about for mutant in every)
