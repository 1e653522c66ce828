"""Wrong kernels that the grader must refuse, naming the cause: the tests of the grader itself.

One folder a lab. A `.metal` file is a body for the lab's standard launch; its first line is `// cause: kind`,
its second says what is wrong. A `.py` file is a mutant whose mistake is in Python: a docstring, `CAUSE` and
`kernel`.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.resources import files

from grader.exercise import Exercise, Kernel


@dataclass(frozen=True)
class Mutant:
    """A wrong kernel. `cause` is the kind of diagnosis that the grader must lead with."""

    name: str
    cause: str
    about: str
    make: Callable[[], Kernel]


def of(exercise: Exercise) -> list[Mutant]:
    """The mutants of an exercise, by name."""
    folder = "lab" + exercise.id.replace(".", "_")
    found = []
    for entry in files(__name__).joinpath(folder).iterdir():
        stem, _, suffix = entry.name.partition(".")
        if suffix == "metal":
            found.append(_from_metal(exercise, stem, entry.read_text(encoding="utf-8")))
        elif suffix == "py" and not stem.startswith("_"):
            found.append(_from_python(f"{__name__}.{folder}.{stem}", stem))
    return sorted(found, key=lambda mutant: mutant.name)


def _from_metal(exercise: Exercise, name: str, text: str) -> Mutant:
    first, second = text.splitlines()[:2]
    prefix = "// cause: "
    if not first.startswith(prefix) or not second.startswith("// "):
        raise ValueError(f"{name}.metal must start with '// cause: kind' and a line that says what is wrong.")
    return Mutant(name, first.removeprefix(prefix), second[3:], lambda: exercise.launch(text))


def _from_python(module_name: str, name: str) -> Mutant:
    module = importlib.import_module(module_name)
    about = (module.__doc__ or "").strip()
    kernel: Kernel = module.kernel
    return Mutant(name, module.CAUSE, about, lambda: kernel)
