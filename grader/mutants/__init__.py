"""Wrong kernels, and other wrong answers, that the grader must refuse: the tests of the grader itself.

It must name the cause of each. One folder a lab. A `.metal` file is a body for the lab's standard launch; its
first line is `// cause: kind`, its second says what is wrong. A `.py` file is a mutant whose mistake is in
Python: a docstring, `CAUSE` and `kernel`; or `answer`, where what is asked for is no kernel.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

from grader.exercise import Exercise
from grader.question import Question


@dataclass(frozen=True)
class Mutant:
    """A wrong answer. `cause` is the kind of diagnosis that the grader must lead with."""

    name: str
    cause: str
    about: str
    make: Callable[[], Any]


def of(exercise: Exercise | Question) -> list[Mutant]:
    """The mutants of an exercise, by name."""
    folder = "lab" + exercise.id.replace(".", "_")
    found = []
    for entry in files(__name__).joinpath(folder).iterdir():
        stem, _, suffix = entry.name.partition(".")
        if suffix == "metal" and isinstance(exercise, Exercise):
            found.append(_from_metal(exercise, stem, entry.read_text(encoding="utf-8")))
        elif suffix == "py" and not stem.startswith("_"):
            found.append(_from_python(f"{__name__}.{folder}.{stem}", stem, exercise))
    return sorted(found, key=lambda mutant: mutant.name)


def _from_metal(exercise: Exercise, name: str, text: str) -> Mutant:
    first, second = text.splitlines()[:2]
    prefix = "// cause: "
    if not first.startswith(prefix) or not second.startswith("// "):
        raise ValueError(f"{name}.metal must start with '// cause: kind' and a line that says what is wrong.")
    return Mutant(name, first.removeprefix(prefix), second[3:], lambda: exercise.launch(text))


def _from_python(module_name: str, name: str, exercise: Exercise | Question) -> Mutant:
    module = importlib.import_module(module_name)
    about = (module.__doc__ or "").strip()
    answer = module.answer if isinstance(exercise, Question) else module.kernel
    return Mutant(name, module.CAUSE, about, lambda: answer)
