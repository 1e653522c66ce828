"""What the repository says about itself: its lock, its packages, its imports, its front page."""

import ast
import contextlib
import io
import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import numpy as np
import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from tools import set_up

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("anymetal", "kernels", "grader")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
MACHINES = {
    "Linux x86-64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "x86_64"},
    "Linux arm64": {"sys_platform": "linux", "platform_system": "Linux", "platform_machine": "aarch64"},
    "macOS arm64": {"sys_platform": "darwin", "platform_system": "Darwin", "platform_machine": "arm64"},
}


def environment(machine: str, python: str) -> dict[str, str]:
    """What a requirement's marker sees on that machine."""
    return {**MACHINES[machine], "python_version": python, "python_full_version": f"{python}.9", "extra": ""}


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def locked(machine: str, python: str) -> dict[str, Requirement]:
    """The lock's pins for one machine, by name."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    where = environment(machine, python)
    return {canonicalize_name(p.name): p for p in pins if p.marker is None or p.marker.evaluate(where)}


def wanted() -> list[Requirement]:
    """All that pyproject.toml asks for, extras and all."""
    about = project()["project"]
    extras = [text for extra in about["optional-dependencies"].values() for text in extra]
    return [Requirement(text) for text in [*about["dependencies"], *extras]]


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("machine", MACHINES)
def test_the_lock_pins_all_that_the_project_asks_for(machine: str, python: str) -> None:
    pins = locked(machine, python)
    for requirement in wanted():
        if requirement.marker is not None and not requirement.marker.evaluate(environment(machine, python)):
            continue
        name = canonicalize_name(requirement.name)
        assert name in pins, f"{name} is not in requirements.lock for {machine}, Python {python}: make lock"
        (pin,) = pins[name].specifier
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), f"{name}: {pin} is not {requirement.specifier}"
    assert {"mlx", "mlx-metal" if "macOS" in machine else "mlx-cpu"} <= pins.keys()


def test_the_lock_holds_exact_versions_and_no_addresses() -> None:
    for line in (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            assert re.match(r"^[a-z0-9-]+==[0-9][^ ;*]*( ;|$)", line), line
            assert "://" not in line


def test_clang_and_the_llvm_that_reads_its_ir_are_the_same_llvm() -> None:
    # The two are pinned apart, in two packages; only running both shows that they fit.
    import llvmlite.binding
    import ziglang

    zig = Path(ziglang.__file__).with_name("zig")
    banner = subprocess.run([zig, "clang", "--version"], capture_output=True, text=True, check=True).stdout
    major = re.search(r"clang version (\d+)", banner)
    assert major is not None
    assert int(major[1]) == llvmlite.binding.llvm_version_info[0]


def test_a_wheel_holds_every_file_of_the_packages(tmp_path: Path) -> None:
    hidden = shutil.ignore_patterns("__pycache__", "*.pyc", ".*")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / "source" / package, ignore=hidden)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / "source")
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    subprocess.run([*command, "-w", tmp_path, tmp_path / "source"], check=True)
    (wheel,) = tmp_path.glob("matmul_on_metal-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        packed = {name for name in archive.namelist() if ".dist-info/" not in name}
    source = tmp_path / "source"
    files = (path for package in PACKAGES for path in (source / package).rglob("*") if path.is_file())
    assert packed == {path.relative_to(source).as_posix() for path in files}


def imported(path: Path) -> set[str]:
    """The top-level names that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module.split(".")[0])
    return found


@pytest.mark.parametrize(
    ("package", "forbidden"),
    [
        ("anymetal", {"kernels", "grader", "benchmarks", "tests", "tools"}),
        ("kernels", {"grader", "benchmarks", "tests", "tools"}),
        ("grader", {"benchmarks", "tests", "tools"}),
    ],
)
def test_imports_point_one_way(package: str, forbidden: set[str]) -> None:
    modules = list((ROOT / package).rglob("*.py"))
    assert modules
    wrong = {str(path.relative_to(ROOT)): imported(path) & forbidden for path in modules}
    assert not {path: names for path, names in wrong.items() if names}


def test_the_readme_prints_what_it_says(monkeypatch: pytest.MonkeyPatch) -> None:
    import mlx.core as mx

    monkeypatch.setattr(mx.fast, "metal_kernel", mx.fast.metal_kernel)  # install() ends with this test
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```.*?```text\n(.*?)```", text, re.DOTALL)
    assert len(examples) == text.count("```python")
    names: dict[str, object] = {}
    for code, shown in examples:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            exec(compile(code, "README.md", "exec"), names)
        assert printed.getvalue() == shown
    # What it prints is right, too.
    x, weights = (np.array(names[name], dtype=np.float64) for name in ("x", "W"))
    np.testing.assert_array_equal(np.array(names["y"]), weights @ x)


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md"])
def test_links_and_commands_of_the_front_pages_exist(page: str) -> None:
    text = (ROOT / page).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    folders = re.findall(r"`([a-z_/]+/)`", text)
    missing = [
        name
        for name in links + folders
        if not any(ROOT.joinpath(*at, name).exists() for at in ((), ("anymetal",)))
    ]
    assert not missing
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))
    commands = set(re.findall(r"(?:`|^)make ([a-z-]+)", text, re.MULTILINE))
    assert commands
    assert commands <= targets


def test_every_page_of_the_book_exists() -> None:
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    pages = re.findall(r"(?:file|root): (\S+)", contents)
    assert pages
    assert not [page for page in pages if not (ROOT / f"{page}.md").exists()]


def test_set_up_makes_a_broken_environment_again(tmp_path: Path) -> None:
    venv = tmp_path / "venv"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", venv], check=True)
    (venv / "left behind").touch()
    python = set_up.make_venv(venv)
    subprocess.run([python, "-c", "import pip"], check=True)
    assert not (venv / "left behind").exists()
    (venv / "stays").touch()
    assert set_up.make_venv(venv) == python
    assert (venv / "stays").exists()


def test_another_python_is_found_where_the_first_is_unsuited(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old = tmp_path / "python3"
    old.write_text("#!/bin/sh\nexit 1\n")
    old.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(old))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SystemExit, match=r"(?s)needs Python 3\.10 to 3\.13; .*python3 is .*make PYTHON="):
        set_up.find_python()
    os.symlink(shutil.which("true", path="/bin:/usr/bin") or "/bin/true", tmp_path / "python3.12")
    assert set_up.find_python() == str(tmp_path / "python3.12")
