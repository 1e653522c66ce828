"""anymetal's README says what is so: its table is that of the tests, its examples print what it shows."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from .support_table import README, missing_tests, table, written

EXAMPLES = re.findall(r"```python\n(.*?)```\n+```text\n(.*?)```", README.read_text(), re.DOTALL)


def test_the_table_is_up_to_date() -> None:
    assert written(README.read_text()) == table(), "run: make support"


def test_every_test_that_it_names_exists() -> None:
    assert missing_tests() == []


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2


@pytest.mark.parametrize(("code", "output"), EXAMPLES)
def test_an_example_prints_what_is_shown(code: str, output: str) -> None:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == (output, "")
