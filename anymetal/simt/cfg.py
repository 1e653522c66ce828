"""The control-flow graph of one kernel: dominators, loops, and the order in which waiting lanes are let go
on."""

from __future__ import annotations

from dataclasses import dataclass, field

from .ir import Function, Unsupported


@dataclass
class Loop:
    """A natural loop. ``blocks`` includes those of the loops inside it."""

    header: str
    blocks: set[str]
    parent: Loop | None = None
    depth: int = 1


@dataclass
class Cfg:
    """``order`` is topological but for back edges, and keeps every loop's blocks together."""

    successors: dict[str, list[str]]
    predecessors: dict[str, list[str]]
    order: list[str]
    index: dict[str, int]
    dominator: dict[str, str]
    loop_of: dict[str, Loop | None]
    loops: list[Loop] = field(default_factory=list)

    def dominates(self, above: str, below: str) -> bool:
        """Whether every path from the entry to ``below`` passes ``above`` (a block dominates itself)."""
        while self.index[below] > self.index[above]:
            below = self.dominator[below]
        return below == above

    def is_back_edge(self, source: str, target: str) -> bool:
        return self.index[target] <= self.index[source]

    def loop_end(self, header: str) -> int:
        """The largest index of a block in the loop that ``header`` heads."""
        loop = next(loop for loop in self.loops if loop.header == header)
        return max(self.index[b] for b in loop.blocks)

    def exits(self, loop: Loop) -> list[str]:
        """The blocks outside the loop that its blocks branch to."""
        return [s for b in self.order if b in loop.blocks for s in self.successors[b] if s not in loop.blocks]


def build(function: Function) -> Cfg:
    """Analyse ``function``; raises ``Unsupported`` for loops with several entries (MSL has no goto)."""
    entry = function.entry.name
    successors = {name: block.successors for name, block in function.blocks.items()}
    reverse_postorder = _reverse_postorder(entry, successors)
    for unreachable in set(successors) - set(reverse_postorder):
        del successors[unreachable]
        del function.blocks[unreachable]
    predecessors: dict[str, list[str]] = {b: [] for b in reverse_postorder}
    for block in reverse_postorder:
        for successor in successors[block]:
            predecessors[successor].append(block)
    position = {b: i for i, b in enumerate(reverse_postorder)}
    dominator = _dominators(reverse_postorder, predecessors, position)
    loops = _loops(reverse_postorder, successors, predecessors, position, dominator)
    loop_of: dict[str, Loop | None] = dict.fromkeys(reverse_postorder)
    for loop in sorted(loops, key=lambda x: -len(x.blocks)):
        for block in loop.blocks:
            loop.parent = loop_of[loop.header] if block == loop.header else loop.parent
        for block in loop.blocks:
            loop_of[block] = loop
        loop.depth = loop.parent.depth + 1 if loop.parent else 1
    order = _contiguous(reverse_postorder, successors, loops)
    index = {b: i for i, b in enumerate(order)}
    return Cfg(successors, predecessors, order, index, dominator, loop_of, loops)


def _reverse_postorder(entry: str, successors: dict[str, list[str]]) -> list[str]:
    seen = {entry}
    finished: list[str] = []
    stack = [(entry, iter(successors[entry]))]
    while stack:
        block, rest = stack[-1]
        for successor in rest:
            if successor not in seen:
                seen.add(successor)
                stack.append((successor, iter(successors[successor])))
                break
        else:
            finished.append(block)
            stack.pop()
    return finished[::-1]


def _dominators(
    order: list[str], predecessors: dict[str, list[str]], position: dict[str, int]
) -> dict[str, str]:
    """Immediate dominators (Cooper, Harvey and Kennedy, "A Simple, Fast Dominance Algorithm")."""
    dominator = {order[0]: order[0]}
    changed = True
    while changed:
        changed = False
        for block in order[1:]:
            new: str | None = None
            for predecessor in predecessors[block]:
                if predecessor not in dominator:
                    continue
                if new is None:
                    new = predecessor
                    continue
                other = predecessor
                while new != other:
                    while position[new] > position[other]:
                        new = dominator[new]
                    while position[other] > position[new]:
                        other = dominator[other]
            assert new is not None
            if dominator.get(block) != new:
                dominator[block], changed = new, True
    return dominator


def _loops(
    order: list[str],
    successors: dict[str, list[str]],
    predecessors: dict[str, list[str]],
    position: dict[str, int],
    dominator: dict[str, str],
) -> list[Loop]:
    loops: dict[str, Loop] = {}
    for block in order:
        for header in successors[block]:
            if position[header] > position[block]:
                continue
            above = block
            while position[above] > position[header]:
                above = dominator[above]
            if above != header:
                raise Unsupported("a loop with more than one entry")
            loop = loops.setdefault(header, Loop(header, {header}))
            work = [block]
            while work:
                inside = work.pop()
                if inside not in loop.blocks:
                    loop.blocks.add(inside)
                    work.extend(predecessors[inside])
    return list(loops.values())


def _contiguous(order: list[str], successors: dict[str, list[str]], loops: list[Loop]) -> list[str]:
    """Topological order in which each loop, taken as one node of the loop around it, stays in one piece."""
    position = {b: i for i, b in enumerate(order)}
    by_size = sorted(loops, key=lambda loop: len(loop.blocks))

    def place(blocks: set[str], header: str) -> list[str]:
        node_of: dict[str, str] = {}
        for loop in sorted(by_size, key=lambda x: -len(x.blocks)):
            if loop.header in blocks and loop.header != header and loop.blocks <= blocks:
                for b in loop.blocks:
                    node_of.setdefault(b, loop.header)
        for b in blocks:
            node_of.setdefault(b, b)
        follows: dict[str, set[str]] = {n: set() for n in node_of.values()}
        waits: dict[str, int] = dict.fromkeys(follows, 0)
        for b in blocks:
            for s in successors[b]:
                if (
                    s in blocks
                    and s != header
                    and node_of[s] != node_of[b]
                    and node_of[s] not in follows[node_of[b]]
                ):
                    follows[node_of[b]].add(node_of[s])
                    waits[node_of[s]] += 1
        ready = [n for n, count in waits.items() if not count]
        placed: list[str] = []
        while ready:
            node = min(ready, key=position.__getitem__)
            ready.remove(node)
            members = {b for b in blocks if node_of[b] == node}
            placed += place(members, node) if len(members) > 1 else [node]
            for following in follows[node]:
                waits[following] -= 1
                if not waits[following]:
                    ready.append(following)
        return placed

    return place(set(order), order[0])
