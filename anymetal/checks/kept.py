"""A thread's own variables that must stay in memory to be watched.

LLVM keeps a variable in registers where it can, and there an index outside an array and a read before any
write leave no trace: what they give is undefined, and vanishes. So the kernel is compiled again with the
learner's variables held in memory: those that are not set where they are declared, and all arrays. Once loops
are unrolled and indices known, most turn out to be set before they are read and used inside (``settled.py``).
Those go into registers as ever; only the rest stays, and a kernel that needs none keeps the code that it has
in fast mode.
"""

from __future__ import annotations

import re

import llvmlite.binding as llvm

from anymetal.frontend import optimise
from anymetal.simt.prepare import prepare

from .settled import doubtful
from .sites import file_name, is_included, reference

_KEEP = "__simt_keep"
_VALUE = r'%(?:"[^"]*"|[-\w.$]+)'
_DECLARED = re.compile(rf"^ +#dbg_declare\(ptr ({_VALUE}), !(\d+),", re.MULTILINE)
_ALLOCA = re.compile(rf"^ +({_VALUE}) = alloca ([^\n]*?), align", re.MULTILINE)
_METADATA = re.compile(r"^!(\d+) = (?:distinct )?(!DI(?:LocalVariable|File)\(.*)$", re.MULTILINE)
_LABEL = re.compile(r'^("[^"]*"|[-\w.$]+):')
_DERIVED = re.compile(rf"^ +({_VALUE}) = (?:getelementptr|phi ptr|select|freeze ptr|addrspacecast)\b")
_ACCESS = re.compile(r"^( +(?:\S+ = )?(?:load|store)) (?!atomic)")
_COPY = re.compile(r"^ +(?:tail )?call void @llvm\.mem(?:cpy|move|set)\.")


def kept(ir: str, entry: str, files: frozenset[str]) -> str | None:
    """The IR of the kernel ``entry`` with its doubtful variables in memory; None if it has none.

    ``ir`` is a module that is not optimised and has full debug information; ``files`` are the names of the
    learner's texts. Raises ``Unsupported`` for what
    the widening cannot read.
    """
    text = _inlined(ir, entry)
    names = _candidates(text, files)
    while names:
        made = _optimised(text, entry, names)
        _, function = prepare(made, entry)
        still = doubtful(function, frozenset(n.strip('%"') for n in names))
        found = frozenset(n for n in names if n.strip('%"') in still)
        if found == names:
            return made
        names = found
    return None


def _inlined(ir: str, entry: str) -> str:
    """The kernel alone, with all that it calls inside."""
    llvm.initialize_native_target()
    module = llvm.parse_assembly(ir)
    for function in module.functions:
        if not function.is_declaration and function.name != entry:
            function.linkage = "internal"
    return _run(module, "global_dead_code_eliminate", "always_inliner", "global_dead_code_eliminate")


def _run(module: llvm.ModuleRef, *names: str) -> str:
    builder = llvm.create_pass_builder(
        llvm.Target.from_default_triple().create_target_machine(), llvm.create_pipeline_tuning_options()
    )
    passes = llvm.create_new_module_pass_manager()
    for name in names:
        getattr(passes, f"add_{name}_pass")()
    passes.run(module, builder)
    return str(module)


# -- which variables -------------------------------------------------------------------------------------


def _candidates(text: str, files: frozenset[str]) -> frozenset[str]:
    """The learner's variables that may be read before they are set, or outside their bounds."""
    metadata = {int(m[1]): m[2] for m in _METADATA.finditer(text)}
    types = {m[1]: m[2] for m in _ALLOCA.finditer(text)}
    declared = {
        m[1]
        for m in _DECLARED.finditer(text)
        if m[1] in types and "ptr" not in types[m[1]] and _is_learners(metadata, int(m[2]), files)
    }
    simple = frozenset(n for n in declared if not types[n].startswith(("[", "%", "{")))
    return frozenset(declared - simple) | (_unset(text, simple) if simple else frozenset())


def _is_learners(metadata: dict[int, str], variable: int, files: frozenset[str]) -> bool:
    """Whether a variable is no parameter, and none of Metal's own library."""
    described = metadata[variable]
    file = file_name(metadata.get(reference(described, "file") or -1, ""), files)
    return " arg: " not in described and (file in files or is_included(file))


def _unset(text: str, names: frozenset[str]) -> frozenset[str]:
    """Those of some scalars and vectors that are used where not every way there has set them."""
    blocks = _blocks(text)
    mentions = re.compile(_VALUE)
    before: dict[str, frozenset[str]] = dict.fromkeys(blocks, names)
    before[next(iter(blocks))] = frozenset()
    found: set[str] = set()
    pending = list(blocks)
    while pending:
        label = pending.pop(0)
        now = set(before[label])
        targets: list[str] = []
        for line in blocks[label]:
            targets += re.findall(r'\blabel %("[^"]*"|[-\w.$]+)', line)
            if line.lstrip().startswith("#dbg") or " = alloca " in line:
                continue
            if "@llvm.lifetime." in line:
                now -= set(mentions.findall(line))
                continue
            target = m[1] if (m := re.match(rf"^ +store .*, ptr ({_VALUE}), align", line)) else None
            used = mentions.findall(line)
            if target in names and used.count(target) == 1:
                used.remove(target)
                now.add(target)
                used = [u for u in used if u != target]
            found |= (names & set(used)) - now
        for successor in targets:
            met = before[successor] & now
            if met != before[successor]:
                before[successor] = met
                if successor not in pending:
                    pending.append(successor)
    return frozenset(found)


def _blocks(text: str) -> dict[str, list[str]]:
    """The lines of each block of the one function that the module defines."""
    blocks: dict[str, list[str]] = {}
    current: list[str] = []
    inside = False
    for line in text.splitlines():
        if line.startswith("define "):
            inside = True
        elif line.startswith("}"):
            inside = False
        elif inside and (m := _LABEL.match(line)):
            blocks[m[1]] = current = []
        elif inside and line:
            if not blocks:
                blocks["entry"] = current = []
            current.append(line)
    return blocks


# -- keeping them ----------------------------------------------------------------------------------------


def _optimised(text: str, entry: str, names: frozenset[str]) -> str:
    """The kernel after all of LLVM's passes, but with these variables in memory, each access as written."""
    # A call that might do anything with a variable's address keeps it where it is ...
    marked = _DECLARED.sub(
        lambda m: f"  call void @{_KEEP}(ptr {m[1]})\n{m[0]}" if m[1] in names else m[0], text
    )
    marked += f"\ndeclare void @{_KEEP}(ptr) nounwind willreturn memory(inaccessiblemem: readwrite)\n"
    # ... and volatile accesses are neither guessed, merged nor left out. Pointers that are kept in variables
    # become plain first.
    plain = _run(llvm.parse_assembly(marked), "sroa")
    made = optimise(_volatile(plain, names), entry)
    made = re.sub(rf"^.*@{_KEEP}\(.*\n", "", made, flags=re.MULTILINE)
    made = re.sub(r"^( +(?:\S+ = )?(?:load|store)) volatile ", r"\1 ", made, flags=re.MULTILINE)
    return re.sub(r"^ +#dbg_.*\n", "", made, flags=re.MULTILINE)


def _volatile(text: str, names: frozenset[str]) -> str:
    """Every access through a pointer to one of the variables made volatile."""
    lines = text.splitlines()
    pointers = set(names)
    mentions = re.compile(_VALUE)
    size = 0
    while len(pointers) > size:
        size = len(pointers)
        for line in lines:
            if (m := _DERIVED.match(line)) and not pointers.isdisjoint(mentions.findall(line)[1:]):
                pointers.add(m[1])
    for number, line in enumerate(lines):
        if _ACCESS.match(line):
            address = re.search(rf", ptr ({_VALUE})(?:, align|$)", line)
            if address and address[1] in pointers:
                lines[number] = _ACCESS.sub(r"\1 volatile ", line)
        elif _COPY.match(line) and not pointers.isdisjoint(mentions.findall(line)):
            lines[number] = line.replace(", i1 false)", ", i1 true)")
    return "\n".join(lines) + "\n"
