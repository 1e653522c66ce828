"""Which of a thread's own variables need no watching: each access lies inside, and each read comes after a
write of what it reads, whichever way the thread went.

A forward data-flow analysis: a bit a byte, set where every path to this place has written the byte.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from anymetal.simt import intrinsics
from anymetal.simt.divergence import address_steps
from anymetal.simt.ir import Block, Constant, Function, Instruction, Local, Operand, Type, scalars

_DERIVED = ("getelementptr", "phi", "select", "freeze", "bitcast", "addrspacecast")
_COPIES = ("llvm.memcpy.", "llvm.memmove.")
State = dict[str, int]


def doubtful(function: Function, names: frozenset[str]) -> frozenset[str]:
    """Those of the allocas ``names`` that must be watched, and can be.

    A variable cannot where its address goes somewhere unknown, or where it is set bit by bit: clang reads a
    whole vector to set one element, and copies whole structs, gaps included.
    """
    analysis = _Analysis(function, names)
    analysis.run()
    return frozenset(analysis.doubtful - analysis.hopeless)


@dataclass
class _Analysis:
    function: Function
    names: frozenset[str]
    sizes: dict[str, int] = field(default_factory=dict)
    # Where pointers lead: to one variable and a known byte of it, or to some of several.
    known: dict[str, tuple[str, int]] = field(default_factory=dict)
    loose: dict[str, set[str]] = field(default_factory=dict)
    users: dict[str, list[Instruction]] = field(default_factory=dict)
    doubtful: set[str] = field(default_factory=set)
    hopeless: set[str] = field(default_factory=set)

    def run(self) -> None:
        for _, i in self.function.instructions():
            if i.op == "alloca" and i.name in self.names:
                self.sizes[i.name] = i.attributes["allocated"].size
                self.known[i.name] = (i.name, 0)
            for operand in i.operands:
                if isinstance(operand, Local):
                    self.users.setdefault(operand.name, []).append(i)
        self._follow()
        # Everything is taken for set at first, but at the start; what is not so goes, round by round.
        everything = {name: (1 << size) - 1 for name, size in self.sizes.items()}
        before: dict[str, State] = {name: dict(everything) for name in self.function.blocks}
        before[self.function.entry.name] = dict.fromkeys(everything, 0)
        pending = list(self.function.blocks)
        while pending:
            name = pending.pop(0)
            after = self._block(self.function.blocks[name], dict(before[name]), judge=False)
            for successor in self.function.blocks[name].successors:
                met = {v: bits & after[v] for v, bits in before[successor].items()}
                if met != before[successor]:
                    before[successor] = met
                    if successor not in pending:
                        pending.append(successor)
        for name, block in self.function.blocks.items():
            self._block(block, dict(before[name]), judge=True)

    # -- pointers ------------------------------------------------------------------------------------------

    def _follow(self) -> None:
        changed = True
        while changed:
            changed = False
            for _, i in self.function.instructions():
                if i.op not in _DERIVED or i.name is None or i.name in self.known:
                    continue
                reached = {v for o in i.operands for v in self._reaches(o)}
                at = self._constant_step(i)
                if at is not None:
                    self.known[i.name] = at
                    changed = True
                elif reached - self.loose.get(i.name, set()):
                    self.loose.setdefault(i.name, set()).update(reached)
                    changed = True

    def _constant_step(self, i: Instruction) -> tuple[str, int] | None:
        base = i.operands[0]
        if i.op != "getelementptr" or not isinstance(base, Local) or base.name not in self.known:
            return None
        steps = address_steps(i)
        if any(index is not None for index, _ in steps):
            return None
        name, start = self.known[base.name]
        return name, start + sum(bytes_ for _, bytes_ in steps)

    def _reaches(self, operand: Operand) -> set[str]:
        if not isinstance(operand, Local):
            return set()
        if operand.name in self.known:
            return {self.known[operand.name][0]}
        return self.loose.get(operand.name, set())

    # -- accesses ------------------------------------------------------------------------------------------

    def _block(self, block: Block, state: State, *, judge: bool) -> State:
        for i in block.instructions:
            if i.op == "load":
                self._read(i.operands[0], _bytes(i.type), state, judge=judge, by=i)
            elif i.op == "store":
                self._write(i.operands[1], _bytes(i.operands[0].type), state, judge=judge)
                self.hopeless |= self._reaches(i.operands[0])
            elif i.op == "call":
                self._call(i, state, judge=judge)
            elif i.op not in (*_DERIVED, "icmp"):
                self.hopeless |= {v for o in i.operands for v in self._reaches(o)}
        return state

    def _call(self, i: Instruction, state: State, *, judge: bool) -> None:
        if i.callee.startswith("llvm.lifetime."):
            for name in self._reaches(i.operands[-1]):
                state[name] = 0
        elif i.callee.startswith((*_COPIES, "llvm.memset.")) and isinstance(i.operands[2], Constant):
            # No variable is longer than all of them, and what is longer lies outside each.
            whole = (1 << min(int(i.operands[2].value), sum(self.sizes.values()) + 1)) - 1
            if not i.callee.startswith("llvm.memset."):
                self._read(i.operands[1], whole, state, judge=judge, by=i)
            self._write(i.operands[0], whole, state, judge=judge)
        elif not i.callee.startswith(intrinsics.IGNORED):
            self.hopeless |= {v for o in i.operands for v in self._reaches(o)}

    def _place(self, pointer: Operand, touched: int, *, judge: bool) -> tuple[str, int] | None:
        """The variable and its bytes, if they are known; what may lie outside is doubtful."""
        at = self.known.get(pointer.name) if isinstance(pointer, Local) else None
        # Compared before it is shifted: a wild constant index may be gigabytes away.
        if at is not None and at[1] >= 0 and at[1] + touched.bit_length() <= self.sizes[at[0]]:
            return at[0], touched << at[1]
        if judge:
            self.doubtful |= self._reaches(pointer)
        return None

    def _read(self, pointer: Operand, touched: int, state: State, *, judge: bool, by: Instruction) -> None:
        place = self._place(pointer, touched, judge=judge)
        if not judge or (place is not None and state[place[0]] & place[1] == place[1]):
            return
        reached = self._reaches(pointer)
        self.doubtful |= reached
        if by.op == "call" or self._is_blended(by):
            self.hopeless |= reached

    def _write(self, pointer: Operand, touched: int, state: State, *, judge: bool) -> None:
        place = self._place(pointer, touched, judge=judge)
        if place is not None:
            state[place[0]] |= place[1]

    def _is_blended(self, load: Instruction) -> bool:
        """Whether a vector that is read whole is used in parts."""
        if load.type.kind != "vector" or load.name is None:
            return False
        return any(
            user.op in ("insertelement", "extractelement")
            or (user.op == "shufflevector" and not _whole(user))
            for user in self.users.get(load.name, [])
        )


def _whole(shuffle: Instruction) -> bool:
    """Whether it makes three elements of four in memory, in their places."""
    _, second, mask = shuffle.operands
    chosen = mask.value if isinstance(mask, Constant) else None
    return (
        isinstance(second, Constant)
        and second.value in ("undef", "poison")
        and isinstance(chosen, tuple)
        and [c.value for c in chosen] == [0, 1, 2]
    )


def _bytes(type_: Type) -> int:
    """A bit for each byte of a value."""
    touched = 0
    for scalar, at in scalars(type_):
        touched |= ((1 << scalar.size) - 1) << at
    return touched
