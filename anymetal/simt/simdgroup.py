"""From one thread's program to a SIMD-group's: every block twice, once for all 32 lanes and once under a
mask.

The *full* copy of a block runs while all 32 lanes are active and together: it has no masks at all. When a
branch parts the lanes, they go on in the *parted* copy, where every block has a mask and ``schedule`` says
who waits. As soon as all 32 lanes stand in front of one block again, the full copy takes over. A branch on
which all lanes agree stays in the copy it is in, so code whose branches agree in practice never pays for
those that might not.

At a threadgroup barrier the function saves what is alive and returns; it is called again when all SIMD-groups
are there.
"""

from __future__ import annotations

from dataclasses import dataclass

from . import arithmetic, copies, intrinsics, lanes, matrix, memory, pairs, streams
from .body import Body
from .cfg import Cfg
from .divergence import Divergence
from .ir import I1, LANES, Block, Constant, Function, Instruction, Module, Type, Unsupported
from .layouts import Layout
from .monitor import Monitor
from .private import PrivateMemory, bytes_of
from .schedule import Schedule, schedule
from .slots import Slots, live_into
from .values import Linear, Uniform, Value, Varying, wide
from .variables import VARIABLE

MASK = wide(I1)
PARAMETERS = (
    "ptr %launch, ptr %frame, ptr %threadgroup, i32 %simdgroup, i32 %group.x, i32 %group.y, i32 %group.z, "
    "i32 %size.x, i32 %size.y, i32 %size.z, i32 %active, i32 %state"
)
_ALIGN = 64


@dataclass
class SimdGroup:
    """The code of one SIMD-group function. ``frame``: bytes it keeps between barriers; ``buffers``: those it
    uses."""

    text: str
    frame: int
    declared: dict[str, str]
    constants: set[str]
    buffers: set[int]
    suspends: bool


def split_at_barriers(function: Function) -> None:
    """End a block after each threadgroup barrier, so that a SIMD-group can stop there."""
    for block in list(function.blocks.values()):
        current = block
        instructions = block.instructions
        current.instructions = []
        for position, instruction in enumerate(instructions):
            current.instructions.append(instruction)
            if instruction.op == "call" and instruction.callee == intrinsics.BARRIER:
                following = Block(f"{block.name}.after.{position}")
                current.instructions.append(
                    Instruction(
                        "br", None, instruction.type, [], {"targets": [following.name], "barrier": True}
                    )
                )
                function.blocks[following.name] = following
                current = following
        if current is not block:
            for other in function.blocks.values():
                for phi in other.phis:
                    sources = phi.attributes["sources"]
                    phi.attributes["sources"] = [current.name if s == block.name else s for s in sources]


class Widener:
    """Writes one SIMD-group function."""

    def __init__(
        self,
        module: Module,
        function: Function,
        cfg: Cfg,
        divergence: Divergence,
        private: PrivateMemory,
        layout: Layout,
        name: str,
        threadgroup_offsets: dict[str, int],
        monitor: Monitor | None = None,
    ) -> None:
        self.function, self.cfg, self.name = function, cfg, name
        self.divergent = divergence.divergent
        self.layout = layout
        self.body = Body(module, divergence.shapes, layout, private, self._fetch)
        self.body.threadgroup_offsets = threadgroup_offsets
        self.body.monitor = monitor
        self.body.streams = streams.find(function, cfg)
        if monitor is None:  # which counts each load by itself
            self.body.pairs = pairs.find(function)
            self.body.copies = copies.find(function)
        self.headers = {loop.header for loop in cfg.loops}
        self.body.symbol_types = {i.name: i.type for _, i in function.instructions() if i.name}
        self.slots = Slots(self.body, function, cfg)
        self.buffers: set[int] = set()
        self.entry = function.entry.name
        self.schedule: Schedule = schedule(cfg, self.divergent, {self.entry} if layout.partial else set())
        self.parted = [b for b in cfg.order if b in self.schedule.waiting]
        self.full = self._reached_full()
        self.live = live_into(function, cfg, divergence.shapes)
        self.resumes: list[str] = []
        self.frame: dict[str, tuple[int, str]] = {}
        self.frame_bytes = 0
        self.suspends = any(
            i.callee == intrinsics.BARRIER for _, i in function.instructions() if i.op == "call"
        )

    def _reached_full(self) -> list[str]:
        """Blocks that all 32 lanes may run together."""
        reached, work = {self.entry}, [self.entry]
        if self.parted:
            # Wherever nobody waits, lanes may turn out to be all together.
            more = [b for b in self.parted if self._may_rejoin(b)]
            reached |= set(more)
            work += more
        while work:
            for successor in self.cfg.successors[work.pop()]:
                if successor not in reached:
                    reached.add(successor)
                    work.append(successor)
        return [b for b in self.cfg.order if b in reached]

    def _may_rejoin(self, block: str) -> bool:
        several = len(self.cfg.predecessors[block]) > 1
        return several and not self.schedule.waiting[block]

    def _fetch(self, name: str) -> Value:
        return self.slots.load(name)

    # -- the function ------------------------------------------------------------------------------------

    def write(self) -> SimdGroup:
        body = self.body
        self._private_memory()
        for block in self.full:
            self._full_block(self.function.blocks[block])
        for block in self.parted:
            self._parted_block(self.function.blocks[block])
        code, body.lines = body.lines, []
        for block in self.parted:
            body.prologue.append(f"  {self._mask_slot(block)} = alloca {MASK}, align 64")
            body.do(f"store {MASK} zeroinitializer, ptr {self._mask_slot(block)}")
        self._start()
        head = [f"define internal i32 @{self.name}({PARAMETERS}) #0 {{", "entry:", *body.prologue]
        if self.resumes:
            cases = " ".join(f"i32 {i + 1}, label %resume.{i + 1}" for i in range(len(self.resumes)))
            start = [f"  switch i32 %state, label %start [ {cases} ]", "start:"]
        else:
            start = ["  br label %start", "start:"]
        # Masks are cleared before the switch: a SIMD-group that comes back restores those that it saved.
        clear = [line for line in body.lines if line.startswith("  store " + MASK + " zeroinitializer")]
        rest = [line for line in body.lines if line not in clear]
        text = "\n".join([*head, *clear, *start, *rest, *code, "}"])
        return SimdGroup(
            text, self.frame_bytes, body.declared, body.constants, self.buffers, bool(self.resumes)
        )

    def _start(self) -> None:
        body = self.body
        if not self.layout.partial:
            body.do(f"br label {self._full(self.entry)}")
            return
        whole = body.emit(f"icmp eq i32 %active, {LANES}")
        body.do(f"br i1 {whole}, label {self._full(self.entry)}, label %partial")
        body.label("partial")
        count = body.splat("%active", Type("int", "i32", 32))
        lane_numbers = "<" + ", ".join(f"i32 {i}" for i in range(LANES)) + ">"
        mask = body.emit(f"icmp ult {wide('i32')} {lane_numbers}, {count}")
        body.do(f"store {MASK} {mask}, ptr {self._mask_slot(self.entry)}")
        body.do(f"br label {self._parted(self.entry)}")

    def _private_memory(self) -> None:
        """Private arrays live on the stack, or in the frame where they must outlive a barrier."""
        for region in self.body.private.all.values():
            size = bytes_of(region)
            if self.suspends:
                place = self._frame_place(f"private.{region.name}", size)
                self.body.prologue.append(
                    f'  %"private.{region.name}" = getelementptr i8, ptr %frame, i64 {place}'
                )
            else:
                self.body.prologue.append(f'  %"private.{region.name}" = alloca [{size} x i8], align 64')

    def _frame_place(self, name: str, size: int) -> int:
        if name not in self.frame:
            self.frame[name] = (self.frame_bytes, name)
            self.frame_bytes += -(-size // _ALIGN) * _ALIGN
        return self.frame[name][0]

    def _full(self, block: str) -> str:
        return f'%"full.{block}"'

    def _parted(self, block: str) -> str:
        return f'%"parted.{block}"'

    def _mask_slot(self, block: str) -> str:
        return f'%"mask.{block}"'

    # -- blocks ------------------------------------------------------------------------------------------

    def _full_block(self, block: Block) -> None:
        body = self.body
        body.lines.append(f'"full.{block.name}":')
        body.begin(None)
        self._watch(block)
        self._instructions(block)
        end = block.terminator
        if end.op != "br":
            body.do("ret i32 0")
            return
        targets = end.attributes["targets"]
        if block.name in self.divergent:
            self._part(block, end, targets)
            return
        if len(targets) == 1:
            self._send(block.name, targets[0], None)
            if end.attributes.get("barrier"):
                self._suspend(f"label {self._full(targets[0])}", self.live[targets[0]], [])
            else:
                body.do(f"br label {self._full(targets[0])}")
            return
        condition = self._agreed(end)
        self._branch_uniform(
            block.name, condition, targets, None, [f"br label {self._full(t)}" for t in targets]
        )

    def _agreed(self, end: Instruction) -> str:
        """The condition of a branch on which all lanes agree."""
        condition = self.body.scalar(end.operands[0])
        return self.body.emit(f"freeze i1 {condition}") if self.body.monitor is not None else condition

    def _branch_uniform(
        self, source: str, condition: str, targets: list[str], mask: str | None, go: list[str]
    ) -> None:
        """A branch on which all lanes agree."""
        body = self.body
        edges = [body.fresh("edge") for _ in targets]
        body.do(f"br i1 {condition}, label %{edges[0]}, label %{edges[1]}")
        values = dict(body.values)
        for edge, target, jump in zip(edges, targets, go, strict=True):
            body.values = dict(values)
            body.label(edge)
            self._send(source, target, mask)
            if mask is not None:
                self._wake(target, mask)
            if jump:
                body.do(jump)
            else:
                self._dispatch(source, certain=target)

    def _part(self, block: Block, end: Instruction, targets: list[str]) -> None:
        """All 32 lanes come to a branch on which they may not agree."""
        body = self.body
        condition = body.emit(f"freeze {MASK} {body.vector(end.operands[0])}")
        bits = body.emit(f"bitcast {MASK} {condition} to i32")
        yes, unsure, no, split = (body.fresh(s) for s in ("all", "unsure", "none", "split"))
        everyone = body.emit(f"icmp eq i32 {bits}, -1")
        body.do(f"br i1 {everyone}, label %{yes}, label %{unsure}")
        values = dict(body.values)
        body.label(unsure)
        nobody = body.emit(f"icmp eq i32 {bits}, 0")
        body.do(f"br i1 {nobody}, label %{no}, label %{split}")
        for label, target in ((yes, targets[0]), (no, targets[1])):
            body.values = dict(values)
            body.label(label)
            self._send(block.name, target, None)
            body.do(f"br label {self._full(target)}")
        body.values = dict(values)
        body.label(split)
        other = body.emit(f"xor {MASK} {condition}, splat (i1 true)")
        # Nobody waits yet, so the slots are free to be overwritten.
        self._send_both(block.name, targets, [None, None])
        for target, mask in zip(targets, (condition, other), strict=True):
            body.do(f"store {MASK} {mask}, ptr {self._mask_slot(target)}")
        first = min(targets, key=lambda t: self._position(block.name, t))
        body.do(f"br label {self._parted(first)}")

    def _position(self, source: str, target: str) -> float:
        back = self.cfg.is_back_edge(source, target)
        return self.cfg.loop_end(target) + 0.5 if back else self.cfg.index[target]

    def _parted_block(self, block: Block) -> None:
        body = self.body
        body.lines.append(f'"parted.{block.name}":')
        slot = self._mask_slot(block.name)
        mask = body.emit(f"load {MASK}, ptr {slot}")
        body.do(f"store {MASK} zeroinitializer, ptr {slot}")
        body.begin(mask)
        if self._may_rejoin(block.name):
            bits = body.mask_bits()
            together = body.emit(f"icmp eq i32 {bits}, -1")
            go_on = body.fresh("masked")
            body.do(f"br i1 {together}, label {self._full(block.name)}, label %{go_on}")
            body.label(go_on)
        self._watch(block)
        self._instructions(block)
        end = block.terminator
        if end.op != "br":
            # These lanes are done; those that wait go on.
            self._dispatch(block.name)
            return
        targets = end.attributes["targets"]
        if block.name in self.divergent:
            condition = body.emit(f"freeze {MASK} {body.vector(end.operands[0])}")
            yes = body.emit(f"and {MASK} {mask}, {condition}")
            inverse = body.emit(f"xor {MASK} {condition}, splat (i1 true)")
            no = body.emit(f"and {MASK} {mask}, {inverse}")
            self._send_both(block.name, targets, [yes, no])
            for target, part in zip(targets, (yes, no), strict=True):
                self._wake(target, part)
            self._dispatch(block.name)
            return
        if len(targets) == 1:
            self._send(block.name, targets[0], mask)
            self._wake(targets[0], mask)
            if end.attributes.get("barrier"):
                after = body.fresh("after")
                waiting = sorted({*self.schedule.next[block.name]})
                live: set[str] = set()
                for other in waiting:
                    live |= self.live[other]
                self._suspend(f"label %{after}", live, waiting)
                body.label(after)
            self._dispatch(block.name, certain=targets[0])
            return
        condition = self._agreed(end)
        self._branch_uniform(block.name, condition, targets, mask, ["", ""])

    def _wake(self, target: str, mask: str) -> None:
        """Let the lanes of ``mask`` wait in front of ``target``."""
        body, slot = self.body, self._mask_slot(target)
        old = body.emit(f"load {MASK}, ptr {slot}")
        new = body.emit(f"or {MASK} {old}, {mask}")
        body.do(f"store {MASK} {new}, ptr {slot}")

    def _dispatch(self, source: str, certain: str | None = None) -> None:
        """Go on with the earliest block in front of which lanes wait (``certain``: there are some before this
        one)."""
        body = self.body
        for candidate in self.schedule.next[source]:
            if candidate == certain:
                body.do(f"br label {self._parted(candidate)}")
                return
            waiting = body.emit(f"load {MASK}, ptr {self._mask_slot(candidate)}")
            bits = body.emit(f"bitcast {MASK} {waiting} to i32")
            some = body.emit(f"icmp ne i32 {bits}, 0")
            following = body.fresh("next")
            body.do(f"br i1 {some}, label {self._parted(candidate)}, label %{following}")
            body.label(following)
        body.do("ret i32 0")

    # -- values over edges -------------------------------------------------------------------------------

    def _incoming(self, source: str, target: str) -> list[tuple[str, list[str]]]:
        """What the phis of ``target`` get over this edge, in the form of their slots. All are read before any
        is written."""
        found = []
        for phi in self.function.blocks[target].phis:
            assert phi.name is not None
            operand = phi.operands[phi.attributes["sources"].index(source)]
            if isinstance(operand, Constant) and operand.value in ("undef", "poison"):
                continue
            value = self.body.get(operand)
            found.append((phi.name, self.slots.pieces(phi.name, value)))
        return found

    def _send(self, source: str, target: str, mask: str | None) -> None:
        for name, pieces in self._incoming(source, target):
            self.slots.store(name, pieces, mask)

    def _send_both(self, source: str, targets: list[str], masks: list[str | None]) -> None:
        incoming = [self._incoming(source, t) for t in targets]
        for values, mask in zip(incoming, masks, strict=True):
            for name, pieces in values:
                self.slots.store(name, pieces, mask)

    # -- barriers ----------------------------------------------------------------------------------------

    def _suspend(self, then: str, live: set[str], waiting: list[str]) -> None:
        """Save what is alive, return, and on the next call go on at ``then``. A SIMD-group alone need not
        stop."""
        body = self.body
        state = len(self.resumes) + 1
        self.resumes.append(then)
        saved: list[tuple[str, str, int]] = []
        for name in sorted(live):
            for slot in self.slots.of.get(name, []):
                saved.append((slot.name, slot.type, self._frame_place(slot.name, _bytes(slot.type))))
        for block in waiting:
            saved.append(
                (self._mask_slot(block), MASK, self._frame_place(self._mask_slot(block), LANES // 8))
            )
        stop = body.fresh("stop")
        threads = body.once("mul i32 %size.x, %size.y")
        threads = body.once(f"mul i32 {threads}, %size.z")
        # A monitor wants to see every barrier.
        alone = "false" if body.monitor else body.once(f"icmp ule i32 {threads}, {LANES}")
        body.do(f"br i1 {alone}, {then}, label %{stop}")
        body.label(stop)
        for name, type_, place in saved:
            value = body.emit(f"load {type_}, ptr {name}")
            body.do(f"store {type_} {value}, ptr {self._in_frame(place)}, align {_align_of(type_)}")
        body.do(f"ret i32 {state}")
        body.label(f"resume.{state}")
        for name, type_, place in saved:
            value = body.emit(f"load {type_}, ptr {self._in_frame(place)}, align {_align_of(type_)}")
            body.do(f"store {type_} {value}, ptr {name}")
        body.do(f"br {then}")

    def _in_frame(self, place: int) -> str:
        return self.body.emit(f"getelementptr i8, ptr %frame, i64 {place}")

    # -- instructions ------------------------------------------------------------------------------------

    def _watch(self, block: Block) -> None:
        if self.body.monitor is not None:
            self.body.monitor.block(self.body, block)
            if block.name in self.headers:
                self.body.monitor.loop(self.body, block)

    def _instructions(self, block: Block) -> None:
        monitor = self.body.monitor
        for instruction in block.body:
            if monitor is not None:
                monitor.step(self.body, instruction)
            value = self._instruction(instruction)
            if instruction.name is None or value is None:
                continue
            self.body.values[instruction.name] = value
            if instruction.name in self.slots.of:
                self.slots.store(instruction.name, self.slots.pieces(instruction.name, value), None)

    def _instruction(self, instruction: Instruction) -> Value | None:
        body, op = self.body, instruction.op
        shape = body.shapes.get(instruction.name or "")
        if op == "call":
            return self._call(instruction)
        if op == "store":
            memory.store(body, instruction)
            return None
        if op == "fence":
            return None
        assert shape is not None
        if op == "load":
            return memory.load(body, instruction)
        if op == "getelementptr":
            return arithmetic.address(body, instruction, shape)
        if op == "addrspacecast":
            return body.get(instruction.operands[0])
        if op in arithmetic.ELEMENTWISE:
            return arithmetic.elementwise(body, instruction, shape)
        if op in ("extractelement", "insertelement", "shufflevector", "extractvalue", "insertvalue"):
            return arithmetic.vector_operation(body, instruction)
        if op == "alloca":
            assert instruction.name is not None
            return Uniform((str(body.private.offsets[instruction.name]),))
        if op in ("atomicrmw", "cmpxchg"):
            return memory.atomic(body, instruction)
        raise Unsupported(f"the LLVM instruction {op!r}")

    def _call(self, instruction: Instruction) -> Value | None:
        body, callee = self.body, instruction.callee
        if callee == VARIABLE and body.monitor is not None:
            body.monitor.variable(body, instruction)
        if callee.startswith(intrinsics.IGNORED):
            return None
        if callee.startswith(("llvm.memcpy", "llvm.memmove", "llvm.memset")):
            memory.copy(body, instruction)
            return None
        if callee.startswith(intrinsics.PREFIX):
            return self._simt(instruction, callee.removeprefix(intrinsics.PREFIX))
        shape = body.shapes[instruction.name] if instruction.name else None
        if shape is not None and (value := arithmetic.intrinsic(body, instruction, shape)) is not None:
            return value
        if callee.startswith("llvm.") or instruction.name is None or len(body.result_types(instruction)) != 1:
            raise Unsupported(f"the operation {callee}")
        if shape is not None and shape.uniform:
            arguments = [(str(o.type), body.scalar(o)) for o in instruction.operands]
            return Uniform((body.call(str(instruction.type), callee, arguments),))
        return lanes.call_each_lane(body, instruction)

    def _simt(self, instruction: Instruction, name: str) -> Value | None:
        body = self.body
        monitor = body.monitor
        if name in ("threadgroup_barrier", "simdgroup_barrier"):
            if monitor is not None:
                (monitor.barrier if name[0] == "t" else monitor.simdgroup_barrier)(body, instruction)
            return None
        if intrinsics.is_id(instruction.callee):
            return self._id(instruction, name)
        if name in ("device_buffer", "constant_buffer", "threadgroup_buffer"):
            return self._buffer(instruction, name)
        if name == "mma":
            return matrix.multiply_accumulate(body, instruction)
        if name.startswith("matrix_load_"):
            return (monitor.matrix_load if monitor else matrix.load)(body, instruction)
        if name.startswith("matrix_store_"):
            (monitor.matrix_store if monitor else matrix.store)(body, instruction)
            return None
        if name == "ballot":
            return lanes.ballot(body, instruction)
        if name.startswith("shuffle_"):
            if monitor is not None:
                monitor.shuffle(body, instruction)
            return lanes.shuffle(body, instruction)
        words = name.split("_")
        if words[0] == "reduce":
            return lanes.reduce(body, words[1], instruction)
        if words[0] == "scan":
            return lanes.scan(body, words[2], words[1] == "exclusive", instruction)
        raise Unsupported(f"the operation {instruction.callee}")

    def _buffer(self, instruction: Instruction, name: str) -> Value:
        index = instruction.operands[0]
        assert isinstance(index, Constant)
        if name == "threadgroup_buffer":
            offset = self.body.launch_word(intrinsics.THREADGROUP_BUFFERS + index.value, "i64")
            frame = self.body.once(f"getelementptr i8, ptr %threadgroup, i64 {offset}")
            return Uniform((frame,))
        self.buffers.add(index.value)
        return Uniform((self.body.launch_word(intrinsics.BUFFERS + index.value, "ptr"),))

    def _id(self, instruction: Instruction, name: str) -> Value:
        body = self.body
        assert instruction.name is not None
        shape = body.shapes[instruction.name]
        if name == "lane":
            return Linear("0", shape)
        if name == "simdgroup":
            return Uniform(("%simdgroup",))
        axis = "xyz".index(name[-1])
        stem = name[:-2]
        if stem == "threadgroup_in_grid":
            return Uniform((f"%group.{name[-1]}",))
        if stem == "threads_per_threadgroup":
            return Uniform((f"%size.{name[-1]}",))
        words = {
            "threads_per_grid": intrinsics.THREADS_PER_GRID,
            "dispatch_threads_per_threadgroup": intrinsics.DISPATCHED,
            "threadgroups_per_grid": intrinsics.GROUPS_PER_GRID,
        }
        if stem in words:
            return Uniform((body.launch_word(words[stem] + axis),))
        assert stem == "thread_in_threadgroup"
        return self._position_in_threadgroup(name[-1])

    def _position_in_threadgroup(self, axis: str) -> Value:
        body, layout = self.body, self.layout
        shape = layout.position(axis)
        first = body.once(f"mul i32 %simdgroup, {LANES}")
        if layout.kind == "rows":
            # Only a lone row may be no multiple of 32 wide; it is all there is, so rounding up does no harm.
            rounded = body.once(f"add i32 %size.x, {LANES - 1}")
            per_row = body.once(f"lshr i32 {rounded}, 5")
            row = body.once(f"udiv i32 %simdgroup, {per_row}")
            if axis == "x":
                in_row = body.once(f"urem i32 %simdgroup, {per_row}")
                return Linear(body.once(f"mul i32 {in_row}, {LANES}"), shape)
            return Uniform((body.once(f"u{'rem' if axis == 'y' else 'div'} i32 {row}, %size.y"),))
        if layout.kind == "tile":
            if shape.known is not None:
                return Uniform(("0",)) if shape.uniform else Linear("0", shape)
            if axis == "y":
                row = body.once(f"udiv i32 {first}, {layout.x}")
                base = body.once(f"urem i32 {row}, {layout.y}")
            else:
                base = body.once(f"udiv i32 {first}, {layout.x * layout.y}")
            return Uniform((base,)) if shape.uniform else Linear(base, shape)
        numbers = self._thread_numbers(first)
        width = self._once_splat("%size.x")
        if axis == "x":
            return Varying((body.once(f"urem {wide('i32')} {numbers}, {width}"),))
        rows = body.once(f"udiv {wide('i32')} {numbers}, {width}")
        height = self._once_splat("%size.y")
        return Varying((body.once(f"u{'rem' if axis == 'y' else 'div'} {wide('i32')} {rows}, {height}"),))

    def _once_splat(self, scalar: str) -> str:
        first = self.body.once(f"insertelement {wide('i32')} poison, i32 {scalar}, i64 0")
        return self.body.once(
            f"shufflevector {wide('i32')} {first}, {wide('i32')} poison, {wide('i32')} zeroinitializer"
        )

    def _thread_numbers(self, first: str) -> str:
        lane_numbers = "<" + ", ".join(f"i32 {i}" for i in range(LANES)) + ">"
        return self.body.once(f"add {wide('i32')} {self._once_splat(first)}, {lane_numbers}")


def _bytes(type_: str) -> int:
    """The size of a slot's type: a scalar, or a vector as it is written."""
    if type_.startswith("<"):
        count, _, element = type_[1:-1].partition(" x ")
        bits = _bits(element) * int(count)
        return -(-bits // 8)
    return -(-_bits(type_) // 8)


def _bits(scalar: str) -> int:
    named = {"half": 16, "bfloat": 16, "float": 32, "double": 64, "ptr": 64}
    return named.get(scalar) or int(scalar[1:])


def _align_of(type_: str) -> int:
    return 64 if type_.startswith("<") else 8
