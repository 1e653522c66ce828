"""What every chapter must have, read from its source. The build runs its cells."""

from __future__ import annotations

import ast
import importlib.util
import re
import sys
from importlib.machinery import PathFinder
from pathlib import Path

import jupytext
import pytest

BOOK = Path(__file__).parents[2] / "book"
CHAPTERS = sorted((BOOK / "chapters").glob("*.md"))
spec = importlib.util.spec_from_file_location("claim_table", BOOK / "_ext" / "claim_table.py")
assert spec is not None
assert spec.loader is not None
coverage = importlib.util.module_from_spec(spec)
sys.modules[spec.name] = coverage  # dataclasses look their module up
spec.loader.exec_module(coverage)
PAGES = [BOOK / "intro.md", *CHAPTERS]


def names(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths]


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_code_cell_is_python_that_parses(page: Path) -> None:
    cells = [cell for cell in jupytext.read(page).cells if cell.cell_type == "code"]
    assert cells
    for cell in cells:
        ast.parse(cell.source)


@pytest.mark.parametrize("page", PAGES, ids=names(PAGES))
def test_every_picture_says_in_words_what_it_shows(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    for alt in re.findall(r"!\[(.*?)\]\(", text, flags=re.DOTALL):
        assert len(alt) > 40
    for cell in jupytext.read(page).cells:
        if "plt.show()" in cell.source:
            assert len(cell.metadata["mystnb"]["image"]["alt"]) > 40
            assert cell.metadata["mystnb"]["image"]["classes"] == "dark-light mpl"
            assert "patch.set_alpha(0)" in cell.source


@pytest.mark.parametrize("page", CHAPTERS, ids=names(CHAPTERS))
def test_a_chapter_opens_with_its_aims_and_closes_as_all_do(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "After this chapter you can" in text
    heads = re.findall(r"^## (.*)$", text, flags=re.MULTILINE)
    assert heads[-3:] == ["Exercises", "Summary", "Further reading"]
    assert text.count("```{exercise}") >= 3
    assert "https://" in text.split("## Further reading")[1]


@pytest.mark.parametrize("page", CHAPTERS, ids=names(CHAPTERS))
def test_a_chapter_takes_a_quarter_of_an_hour(page: Path) -> None:
    words = sum(
        len(cell.source.split()) for cell in jupytext.read(page).cells if cell.cell_type == "markdown"
    )
    assert 2000 <= words <= 3500, words


@pytest.mark.parametrize("page", CHAPTERS, ids=names(CHAPTERS))
def test_a_chapter_runs_a_wrong_kernel_and_grades_it(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert "## What goes wrong" in text
    assert "grade(" in text


@pytest.mark.parametrize("page", CHAPTERS, ids=names(CHAPTERS))
def test_a_chapter_holds_its_claims(page: Path) -> None:
    found = coverage.claims(page)  # raises where a cell claims and does not assert
    assert len(found) >= 6
    assert len({claim.says for claim in found}) == len(found)


def test_a_claim_without_an_assert_is_refused(tmp_path: Path) -> None:
    page = tmp_path / "99_empty.md"
    page.write_text(
        "```{code-cell} ipython3\n---\nclaims: [It is so.]\n---\nprint(1)\n```\n", encoding="utf-8"
    )
    with pytest.raises(ValueError, match=r"99_empty\.md, code cell 1: claims .*It is so.* asserts nothing"):
        coverage.claims(page)


def test_no_extension_of_ours_has_the_name_of_a_package() -> None:
    """Sphinx would import the package: its folder comes first."""
    config = (BOOK.parent / "_config.yml").read_text(encoding="utf-8")
    ours = {path.stem for path in (BOOK / "_ext").glob("*.py")}
    assert set(re.findall(r"(\w+): book/_ext/", config)) == ours
    assert not [name for name in ours if PathFinder.find_spec(name)]


def test_the_table_of_contents_holds_every_chapter() -> None:
    contents = (BOOK.parent / "_toc.yml").read_text(encoding="utf-8")
    for chapter in CHAPTERS:
        assert f"book/chapters/{chapter.stem}" in contents
        assert f"chapters/{chapter.stem}.md" in (BOOK / "intro.md").read_text(encoding="utf-8")
