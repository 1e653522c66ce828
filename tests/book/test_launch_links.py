"""Links that open a lab elsewhere."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from urllib.parse import parse_qs, urlsplit

import pytest

ROOT = Path(__file__).parents[2]
LABS = sorted(path.stem for path in (ROOT / "solutions").glob("*.md"))
CHAPTERS = sorted(path.stem for path in (ROOT / "book" / "chapters").glob("*.md"))


@pytest.fixture(scope="module")
def launch_links() -> ModuleType:
    spec = importlib.util.spec_from_file_location("launch_links", ROOT / "book" / "_ext" / "launch_links.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_chapter_and_its_lab_go_by_one_name() -> None:
    assert CHAPTERS == LABS


def test_each_place_gets_the_notebook_and_says_what_it_needs(launch_links: ModuleType) -> None:
    found = launch_links.links("someone/metal-book", "labs/05_gemv.ipynb", "https://hub.example.edu/")
    assert [name for name, _, _ in found] == ["Colab", "Binder", "JupyterHub"]
    colab, binder, hub = (urlsplit(address) for _, address, _ in found)
    assert colab.path == "/github/someone/metal-book/blob/main/labs/05_gemv.ipynb"
    assert binder.path == "/v2/gh/someone/metal-book/main"
    assert parse_qs(binder.query) == {"labpath": ["labs/05_gemv.ipynb"]}
    assert parse_qs(hub.query)["urlpath"] == ["lab/tree/metal-book/labs/05_gemv.ipynb"]
    assert "git+https://github.com/someone/metal-book" in found[0][2]


def test_without_a_hub_there_is_no_link_to_one(launch_links: ModuleType) -> None:
    assert [name for name, _, _ in launch_links.links("a/b", "labs/x.ipynb")] == ["Colab", "Binder"]


def test_binder_installs_the_locked_versions() -> None:
    asked = (ROOT / "binder" / "requirements.txt").read_text(encoding="utf-8")
    assert "-r ../requirements.lock" in asked
    assert (ROOT / "requirements.lock").exists()
