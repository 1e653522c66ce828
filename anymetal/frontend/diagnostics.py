"""clang's messages, told about the learner's own lines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from anymetal.errors import CompileError


def complaint(messages: str, files: Mapping[str, str]) -> CompileError:
    return CompileError(messages)
