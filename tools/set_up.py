"""Make .venv and install the locked packages and this project into it, showing how far it is.

Run by the Makefile with whatever `python3` is, so it uses the standard library alone, and only syntax
that an old Python can still read far enough to say that it is too old.
"""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

OLDEST = (3, 10)
NEWEST = (3, 13)
ROOT = Path(__file__).resolve().parent.parent
SUITED = "{}.{} to {}.{}".format(*OLDEST, *NEWEST)


def is_suited(python: str) -> bool:
    """Whether the command `python` runs, and is a version that the lock file holds pins for."""
    code = f"import sys; sys.exit(not {OLDEST} <= sys.version_info[:2] <= {NEWEST})"
    try:
        return subprocess.call([python, "-c", code], stderr=subprocess.DEVNULL) == 0
    except OSError:
        return False


def find_python() -> str:
    """The running interpreter where it is suited, or else the newest suited one on the PATH."""
    if is_suited(sys.executable):
        return sys.executable
    for minor in range(NEWEST[1], OLDEST[1] - 1, -1):
        found = shutil.which(f"python3.{minor}")
        if found and is_suited(found):
            return found
    raise SystemExit(
        f"Matmul on Metal needs Python {SUITED}; {sys.executable} is {sys.version.split()[0]}, "
        "and the PATH has no other.\n"
        "Install one of these versions, or name it: make PYTHON=/path/to/python3.12"
    )


def make_venv(venv: Path) -> str:
    """Create the virtual environment, unless a suited one is there. Return its Python."""
    python = str(venv / "bin" / "python")
    # Without pip it is what an attempt left behind that failed half-way.
    if is_suited(python) and subprocess.call([python, "-c", "import pip"], stderr=subprocess.DEVNULL) == 0:
        return python
    base = find_python()
    print(f"==> Making {venv.name} with {base}", flush=True)
    if subprocess.call([base, "-m", "venv", "--clear", str(venv)]) != 0:
        raise SystemExit(
            f"{base} could not make a virtual environment (see above). On Debian and Ubuntu that takes one "
            "more package:\n    sudo apt install python3-venv"
        )
    return python


def install(python: str, lock: Path) -> None:
    """Install what the lock pins. Its list is complete, so pip has nothing to resolve."""
    print("==> Installing the locked packages (a minute or two, once)", flush=True)
    command = [python, "-m", "pip", "install", "--no-deps", "--disable-pip-version-check", "-r", str(lock)]
    environment = dict(os.environ, PYTHONUNBUFFERED="1")
    pip = subprocess.Popen(command, stdout=subprocess.PIPE, universal_newlines=True, env=environment)
    assert pip.stdout is not None
    on_terminal = sys.stdout.isatty()
    left = sum("==" in line for line in lock.read_text(encoding="utf-8").splitlines())
    seen = 0
    for line in pip.stdout:
        if line.startswith("Ignoring "):  # a pin for another platform or Python
            left -= 1
        elif line.startswith(("Collecting ", "Processing ", "Requirement already satisfied: ")):
            seen += 1
            if on_terminal:
                print(f"\r    {seen} of {left}", end="", flush=True)
            elif seen % 40 == 0:
                print(f"    {seen} of {left}", flush=True)
        elif line.startswith("Installing collected packages"):
            print(("\r" if on_terminal else "") + f"    {seen} of {left}, unpacking", flush=True)
    if pip.wait() != 0:
        raise SystemExit(f"pip could not install {lock.name} (see above).")


def install_project(python: str) -> None:
    """Install this project so that an edit in its folder is an edit to what runs."""
    print("==> Installing the project itself", flush=True)
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    if subprocess.call([python, "-m", "pip", "install", *options, "--editable", str(ROOT)]) != 0:
        raise SystemExit("pip could not install the project itself (see above).")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--venv", type=Path, required=True, help="where the virtual environment is to be")
    parser.add_argument("--lock", type=Path, required=True, help="the file with the exact versions")
    parser.add_argument("--stamp", type=Path, required=True, help="a file to write once all is installed")
    options = parser.parse_args()
    python = make_venv(options.venv)
    install(python, options.lock)
    install_project(python)
    for old in options.stamp.parent.glob("set-up-*"):
        old.unlink()
    options.stamp.write_text("", encoding="utf-8")


if __name__ == "__main__":
    main()
