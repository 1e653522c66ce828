"""Order, dominators, loops, joins and schedules, of hand-made graphs and of random ones by brute force."""

from __future__ import annotations

from random import Random

import pytest

from anymetal.simt import cfg, divergence
from anymetal.simt.ir import I1, VOID, Block, Constant, Function, Instruction, Unsupported
from anymetal.simt.schedule import schedule


def function(edges: dict[str, list[str]]) -> Function:
    """A function of empty blocks with these branches; the first is the entry."""
    blocks = {}
    for name, targets in edges.items():
        if targets:
            condition = [Constant(I1, 1)] if len(targets) == 2 else []
            end = Instruction("br", None, VOID, list(condition), {"targets": targets})
        else:
            end = Instruction("ret", None, VOID, [])
        blocks[name] = Block(name, [end])
    return Function("f", blocks)


NESTED = {
    "entry": ["outer"],
    "outer": ["inner", "exit"],
    "inner": ["body", "latch"],
    "body": ["inner.latch", "out"],
    "inner.latch": ["inner"],
    "out": ["latch"],
    "latch": ["outer"],
    "exit": [],
}


def test_loops_stay_in_one_piece() -> None:
    graph = cfg.build(function(NESTED))
    outer, inner = (next(x for x in graph.loops if x.header == h) for h in ("outer", "inner"))
    assert inner.blocks == {"inner", "body", "inner.latch"}
    assert outer.blocks == {"outer", "inner", "body", "inner.latch", "out", "latch"}
    assert inner.parent is outer
    assert (outer.depth, inner.depth) == (1, 2)
    assert graph.loop_of["body"] is inner
    assert graph.loop_of["exit"] is None
    assert set(graph.exits(inner)) == {"latch", "out"}
    assert graph.exits(outer) == ["exit"]
    assert graph.is_back_edge("latch", "outer")
    assert not graph.is_back_edge("inner", "body")
    for loop in graph.loops:
        places = sorted(graph.index[b] for b in loop.blocks)
        assert places == list(range(places[0], places[0] + len(places)))
        assert places[0] == graph.index[loop.header]
        assert graph.loop_end(loop.header) == places[-1]


def test_unreachable_blocks_are_dropped() -> None:
    f = function({"entry": ["exit"], "nowhere": ["exit"], "exit": []})
    graph = cfg.build(f)
    assert graph.order == ["entry", "exit"]
    assert set(f.blocks) == {"entry", "exit"}


def test_a_loop_with_two_entries_is_refused() -> None:
    edges = {"entry": ["a", "b"], "a": ["b", "exit"], "b": ["a", "exit"], "exit": []}
    with pytest.raises(Unsupported, match="entry"):
        cfg.build(function(edges))


def _structured(random: Random) -> dict[str, list[str]]:
    """The graph of a random structured program: ifs, loops with breaks, early returns."""
    edges: dict[str, list[str]] = {}

    def new() -> str:
        edges[f"b{len(edges)}"] = []
        return f"b{len(edges) - 1}"

    def grow(start: str, depth: int, breaks: str | None) -> str:
        for _ in range(random.randint(1, 2)):
            kind = random.randrange(5) if depth else 4
            if kind <= 1:
                yes, join = new(), new()
                no = new() if kind else join
                edges[start] = [yes, no]
                edges[grow(yes, depth - 1, breaks)] = [join]
                if kind:
                    edges[grow(no, depth - 1, breaks)] = [join]
                start = join
            elif kind == 2:
                header, body, after = new(), new(), new()
                edges[start], edges[header] = [header], [body, after]
                edges[grow(body, depth - 1, after)] = [header]
                start = after
            elif kind == 3 and breaks is not None:
                rest = new()
                edges[start] = [breaks, rest]
                start = rest
            elif kind == 4 and random.randrange(4) == 0:
                rest, gone = new(), new()
                edges[start] = [gone, rest]
                start = rest
        return start

    grow(new(), 3, None)
    return edges


@pytest.mark.parametrize("seed", range(60))
def test_dominators_and_order_by_brute_force(seed: int) -> None:
    edges = _structured(Random(seed))
    graph = cfg.build(function(edges))
    blocks = graph.order

    def reachable(without: str | None) -> set[str]:
        seen: set[str] = set()
        work = [b for b in blocks[:1] if b != without]
        while work:
            b = work.pop()
            if b not in seen:
                seen.add(b)
                work += [s for s in graph.successors[b] if s != without]
        return seen

    assert set(blocks) == reachable(None)
    for above in blocks:
        cut = reachable(above)
        for below in blocks:
            assert graph.dominates(above, below) == (below not in cut), (above, below)
    for b in blocks:
        for s in graph.successors[b]:
            assert graph.is_back_edge(b, s) == graph.dominates(s, b)
    for loop in graph.loops:
        places = sorted(graph.index[b] for b in loop.blocks)
        assert places == list(range(places[0], places[-1] + 1))


# -- where lanes meet again
# -----------------------------------------------------------------------------------------


def joins(edges: dict[str, list[str]], block: str) -> set[str]:
    return divergence.joins(block, cfg.build(function(edges)))


def test_the_two_sides_of_an_if_meet_behind_it() -> None:
    edges = {"entry": ["a", "b"], "a": ["c"], "b": ["c"], "c": ["d"], "d": []}
    assert joins(edges, "entry") == {"c"}


def test_a_loop_left_at_different_times_joins_at_its_exit() -> None:
    edges = {"entry": ["head"], "head": ["body", "exit"], "body": ["head"], "exit": []}
    assert "exit" in joins(edges, "head")


def test_a_return_on_one_side_joins_nothing() -> None:
    edges = {"entry": ["gone", "on"], "gone": [], "on": ["last"], "last": []}
    assert joins(edges, "entry") == set()


def test_continue_and_break_join_at_the_latch_and_the_exit() -> None:
    edges = {
        "entry": ["head"],
        "head": ["first", "exit"],
        "first": ["second", "latch"],
        "second": ["third", "broken"],
        "third": ["latch"],
        "latch": ["head"],
        "broken": ["exit"],
        "exit": [],
    }
    assert "latch" in joins(edges, "first")
    assert {"exit"} <= joins(edges, "second")


# -- who waits
# ------------------------------------------------------------------------------------------------------


def test_nothing_parts_where_no_branch_is_divergent() -> None:
    graph = cfg.build(function(NESTED))
    assert schedule(graph, set(), set()).waiting == {}


def test_an_if_parts_its_sides_only() -> None:
    edges = {"entry": ["a", "b"], "a": ["c"], "b": ["c"], "c": ["d"], "d": []}
    found = schedule(cfg.build(function(edges)), {"entry"}, set())
    first, second = sorted(("a", "b"), key=lambda b: cfg.build(function(edges)).index[b])
    assert found.waiting[first] == {second}
    assert found.waiting[second] == {"c"}
    assert found.waiting["c"] == frozenset()


@pytest.mark.parametrize("seed", range(40))
def test_every_set_of_waiting_blocks_that_can_arise_is_foreseen(seed: int) -> None:
    """Lanes are let go at random, the earliest first: who then waits must be among those foreseen."""
    random = Random(seed)
    graph = cfg.build(function(_structured(random)))
    divergent = {b for b in graph.order if len(graph.successors[b]) > 1 and random.random() < 0.7}
    foreseen = schedule(graph, divergent, {graph.order[0]})
    uniform: dict[str, Random] = {}

    def position(source: str, target: str) -> float:
        return graph.loop_end(target) + 0.5 if graph.is_back_edge(source, target) else graph.index[target]

    for run in range(30):
        waiting: dict[str, set[int]] = {graph.order[0]: set(range(8))}
        at = graph.order[0]
        for _ in range(300):
            lanes = waiting.pop(at)
            assert set(waiting) <= foreseen.waiting[at], (at, set(waiting))
            targets = graph.successors[at]
            if targets:
                choice = uniform.setdefault(f"{run}{at}", Random(f"{seed}{run}{at}")).choice(targets)
                for lane in lanes:
                    target = random.choice(targets) if at in divergent else choice
                    waiting.setdefault(target, set()).add(lane)
            if not waiting:
                break
            following = min(waiting, key=lambda t: position(at, t))
            assert following in foreseen.next[at]
            at = following
