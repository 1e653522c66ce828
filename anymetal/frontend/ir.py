"""The text of clang's module, made into what a back end expects."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ASSUME = re.compile(r"^ +(?:tail )?call void @llvm\.assume\(.*\n", re.MULTILINE)
_FUNCTION = re.compile(r"^define [^\n]*?@(\"[^\"]*\"|[\w.$]+)\(.*?^}\n", re.MULTILINE | re.DOTALL)


def tidy(ir: str, entries: Sequence[str]) -> str:
    """Only the entries stay defined: everything they call is inlined into them. Assumptions served the optimizer."""
    keep = set(entries)
    ir = _FUNCTION.sub(lambda m: m[0] if m[1] in keep else "", ir)
    return _ASSUME.sub("", ir)
