"""bfloat16 on a CPU that has no instruction for it.

LLVM widens a bfloat by a shift, but narrows by calling a function for each element, `__truncsfbf2`, that C
libraries of 2023 and before do not have. `lower` writes the narrowing that kernels do most as integer
arithmetic on whole vectors; `SUPPORT` defines the function for what is left.
"""

from __future__ import annotations

import re

_TYPE = r"(?P<type>bfloat|<(?P<lanes>\d+) x bfloat>)"
_VALUE = r"[^,]+?"
_NARROWING = re.compile(
    r"^\s*(?P<name>%\S+) = fptrunc (?:[a-z]+ )*(?:float|<\d+ x float>) "
    rf"(?P<value>.+?) to {_TYPE}(?:, !.*)?$"
)
_ARITHMETIC = re.compile(
    rf"^\s*(?P<name>%\S+) = (?P<op>fadd|fsub|fmul|fdiv) (?P<flags>(?:[a-z]+ )*){_TYPE} (?P<a>{_VALUE}), "
    rf"(?P<b>{_VALUE})(?:, !.*)?$"
)


def needed(triple: str, features: str) -> bool:
    """Whether LLVM narrows to bfloat by a call on this CPU."""
    x86 = triple.startswith(("x86_64", "i686"))
    return x86 and not {"+avx512bf16", "+avxneconvert"} & set(features.split(","))


def lower(ir: str) -> str:
    """`ir` with its narrowing to bfloat, and its bfloat + - * /, done as integer arithmetic on whole vectors.

    A result is rounded to float first and then to bfloat. That is what one rounding gives, for float has
    more than twice the digits of bfloat (Figueroa, *When is double rounding innocuous?*, 1995).
    """
    if "bfloat" not in ir:
        return ir
    helpers: set[int] = set()
    lines = []
    for line in ir.split("\n"):
        if (m := _NARROWING.match(line)) is not None:
            lanes = int(m["lanes"] or 0)
            helpers.add(lanes)
            lines.append(f"  {m['name']} = {_call(lanes, m['value'])}")
        elif (m := _ARITHMETIC.match(line)) is not None:
            lanes = int(m["lanes"] or 0)
            helpers.add(lanes)
            name, wide = m["name"], _wide("float", lanes)
            a, b, r = (_derived(name, part) for part in "abr")
            lines += [
                f"  {a} = fpext {m['type']} {m['a']} to {wide}",
                f"  {b} = fpext {m['type']} {m['b']} to {wide}",
                f"  {r} = {m['op']} {m['flags']}{wide} {a}, {b}",
                f"  {name} = {_call(lanes, r)}",
            ]
        else:
            lines.append(line)
    return "\n".join(lines + [_helper(lanes) for lanes in sorted(helpers)])


def _wide(element: str, lanes: int) -> str:
    return f"<{lanes} x {element}>" if lanes else element


def _derived(name: str, part: str) -> str:
    """A fresh name beside `name`. A number cannot carry a suffix, and a quoted name keeps its quotes."""
    stem = name[1:].strip('"')
    return f'%"{stem}.bf.{part}"'


def _call(lanes: int, value: str) -> str:
    return f"call {_wide('bfloat', lanes)} @anymetal.narrow.{lanes}({_wide('float', lanes)} {value})"


def _helper(lanes: int) -> str:
    return _definition(
        f"internal {_wide('bfloat', lanes)} @anymetal.narrow.{lanes}", lanes, "alwaysinline nounwind"
    )


def _definition(head: str, lanes: int, attributes: str) -> str:
    f, i, b, s, c = (_wide(element, lanes) for element in ("float", "i32", "bfloat", "i16", "i1"))

    def word(n: int) -> str:
        return f"splat (i32 {n})" if lanes else str(n)

    return f"""
define {head}({f} %x) {attributes} {{
  %bits = bitcast {f} %x to {i}
  %top = lshr {i} %bits, {word(16)}
  %odd = and {i} %top, {word(1)}
  %half = add {i} %odd, {word(0x7FFF)}
  %sum = add {i} %bits, %half
  %rounded = lshr {i} %sum, {word(16)}
  %quiet = or {i} %top, {word(0x40)}
  %nan = fcmp uno {f} %x, %x
  %word = select {c} %nan, {i} %quiet, {i} %rounded
  %short = trunc {i} %word to {s}
  %y = bitcast {s} %short to {b}
  ret {b} %y
}}
"""


# Linked once into every process that needs it. It must not be made into a call of itself.
SUPPORT = _definition("bfloat @__truncsfbf2", 0, 'nounwind "no-builtins"')
