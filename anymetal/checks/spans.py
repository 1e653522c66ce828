"""Accesses that ``span.c`` can let through: all 32 lanes active, at addresses whose pattern is known.

Everything that depends on the pattern alone is worked out here: which function may answer, the bytes that the
access touches, its bank conflicts.
"""

from __future__ import annotations

from anymetal.simt import memory
from anymetal.simt.body import Body
from anymetal.simt.ir import LANES, Operand, Type
from anymetal.simt.values import Linear, Uniform

from .sites import DEVICE, LOAD, PRIVATE, STORE, THREADGROUP, Pattern, Sites

BANKS, WORD = 32, 4


def ask(
    body: Body, sites: Sites, number: int, pointer: Operand, parts: tuple[tuple[Type, int], ...], kind: int
) -> str | None:
    """Ask ``span.c`` about an access: an i32, 1 if it may go on as it is; None if it cannot be asked."""
    site = sites.found[number]
    root = site.root
    if body.mask is not None or root is None or site.size > 16 or site.atomic:
        return None
    memory_ = sites.extent(root)
    if memory_.grain != site.scalar or any(t.size != site.scalar for t, _ in parts):
        return None
    value = body.get(pointer)
    if isinstance(value, Uniform):
        return _uniform(body, sites, number, value.values[0], len(parts), kind)
    if not isinstance(value, Linear) or root.space == PRIVATE:
        return None
    stretches = memory.stretches_of(value.shape, parts)
    if stretches is None or len(stretches) != 1 or stretches[0].terms or not stretches[0].covered:
        return None
    stretch = stretches[0]
    in_order = stretch.element == [
        [len(parts) * lane + part for lane in range(LANES)] for part in range(len(parts))
    ]
    place = body.offset(value.base, stretch.first)
    address = body.emit(f"ptrtoint ptr {place} to i64")
    lanes_of = [sum(e == i for part in stretch.element for e in part) for i in range(stretch.count)]
    offsets = list(stretch.element[0])
    touched = len(set(offsets)) * site.size
    conflicts = _conflicts([o * site.scalar for o in offsets], site.size) if root.space == THREADGROUP else 0
    site.span = Pattern(touched, conflicts)
    if root.space == THREADGROUP:
        if kind == LOAD and ((in_order and len(parts) == 1) or min(lanes_of) > 1):
            return _call(
                body, sites, number, "span_shared_read", address, stretch.count, shared=min(lanes_of) > 1
            )
        if kind == STORE and in_order and len(parts) == 1 and site.size >= WORD:
            return _call(body, sites, number, "span_shared_write", address)
        return None
    if kind == LOAD and not memory_.written:
        return _call(body, sites, number, "span_constant", address, stretch.count)
    if kind == STORE and root.space == DEVICE and in_order and len(parts) == 1:
        return _call(body, sites, number, "span_output", address)
    return None


def _uniform(body: Body, sites: Sites, number: int, base: str, count: int, kind: int) -> str | None:
    """All lanes at one address."""
    site = sites.found[number]
    assert site.root is not None
    space = site.root.space
    site.span = Pattern(site.size, 0)
    if space == PRIVATE:
        if count > 1:
            return None
        arguments = [("i64", base), ("i64", str(site.scalar)), ("i32", str(kind))]
        return _span(body, sites, number, "span_private", arguments)
    if kind == STORE:
        return None
    address = body.emit(f"ptrtoint ptr {base} to i64")
    if space == THREADGROUP:
        return _call(body, sites, number, "span_shared_read", address, count, shared=True)
    if sites.extent(site.root).written:
        return None
    return _call(body, sites, number, "span_constant", address, count)


def _call(
    body: Body,
    sites: Sites,
    number: int,
    name: str,
    address: str,
    count: int | None = None,
    *,
    shared: bool | None = None,
) -> str:
    site = sites.found[number]
    arguments = [("i64", address)]
    if count is not None:
        arguments.append(("i64", str(count)))
    arguments += [("i64", str(site.scalar)), ("i64", str(site.align))]
    if shared is not None:
        arguments.append(("i32", str(int(shared))))
    return _span(body, sites, number, name, arguments)


def _span(body: Body, sites: Sites, number: int, name: str, arguments: list[tuple[str, str]]) -> str:
    root = sites.found[number].root
    assert root is not None
    state = body.launch_word(14, "ptr")
    given = [("ptr", state), ("i32", str(number)), ("i32", str(sites.order.index(root))), *arguments]
    return body.call("i32", name, given)


def _conflicts(offsets: list[int], size: int) -> int:
    """Rounds beyond the fewest possible, as ``traffic`` in monitor.c counts them; the base is a multiple of a
    word."""
    words = {w for o in offsets for w in range(o // WORD, (o + size - 1) // WORD + 1)}
    banks = [0] * BANKS
    for word in words:
        banks[word % BANKS] += 1
    return max(banks) - -(-len(words) // BANKS)
