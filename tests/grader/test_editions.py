"""The student's edition of the book holds no solution: not in a page, the search index, or a source."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = """# A page

Plain words.

```{exercise}
:label: an-exercise
How much is six times seven?
```

````{solution} an-exercise
:class: dropdown
It is zweiundvierzig.

```python
answer = "zweiundvierzig"
```
````

Words after it.
"""
CONFIG = f"""
import sys
sys.path.insert(0, {str(ROOT / "book" / "_ext")!r})
extensions = ["myst_nb", "sphinx_exercise", "sphinx_togglebutton", "edition"]
html_theme = "sphinx_book_theme"
nb_execution_mode = "off"
html_copy_source = True
"""


def load() -> ModuleType:
    spec = importlib.util.spec_from_file_location("edition", ROOT / "book" / "_ext" / "edition.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def build(folder: Path, edition: str) -> list[Path]:
    """Every file of a built book in which the solution's word stands."""
    out = folder / "html"
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-W", "-b", "html", str(folder), str(out)],
        env=os.environ | {"EDITION": edition},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    files = [path for path in out.rglob("*") if path.is_file()]
    assert any("Words after it" in path.read_text(errors="replace") for path in files)
    return [path for path in files if b"zweiundvierzig" in path.read_bytes().lower()]


def test_a_book_built_in_both_editions(tmp_path: Path) -> None:
    (tmp_path / "conf.py").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "index.md").write_text(PAGE, encoding="utf-8")
    instructor = {path.name for path in build(tmp_path, "instructor")}
    assert {"index.html", "searchindex.js"} <= instructor
    # Over the instructor's: nothing of it may stay behind.
    left = [path for path in build(tmp_path, "student") if ".doctrees" not in path.parts]
    assert left == []


def test_in_the_instructors_a_solution_is_a_fold_that_opens(tmp_path: Path, browser: Any) -> None:
    (tmp_path / "conf.py").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "index.md").write_text(PAGE, encoding="utf-8")
    build(tmp_path, "instructor")
    page = browser.new_page()
    page.goto((tmp_path / "html" / "index.html").as_uri())
    answer = page.get_by_text("It is zweiundvierzig.")
    assert not answer.is_visible()
    page.locator(".solution button.toggle-button").press("Enter")
    answer.wait_for(state="visible", timeout=10_000)
    page.close()


def test_only_solutions_go() -> None:
    edition = load()
    assert edition.without_solutions("a\n:::{solution} x\nb\n:::\nc") == "a\nc"
    assert edition.without_solutions(PAGE).count("```{exercise}") == 1
    for wrong in ("```{solution} x\nb", "```{solution-start} x\n```\nb\n```{solution-end}\n```"):
        with pytest.raises(ValueError, match="solution"):
            edition.without_solutions(wrong)


def test_an_unknown_edition_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITION", "teacher")
    with pytest.raises(ValueError, match="student, instructor"):
        load().edition()


def test_every_exercise_has_its_solution_and_no_other_text_gives_it_away() -> None:
    edition = load()
    for page in sorted((ROOT / "book" / "chapters").glob("*.md")):
        text = page.read_text(encoding="utf-8")
        labels = [line.split()[1] for line in text.splitlines() if line.startswith(":label:")]
        asked = [label for label in labels if f"{{solution}} {label}\n" in text]
        if "{solution}" in text:
            assert asked == labels, page
        assert "{solution}" not in edition.without_solutions(text)
