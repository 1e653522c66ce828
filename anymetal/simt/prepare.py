"""LLVM's own clean-up before the passes of this folder: one kernel alone, simple loops, no switches, every
value named."""

from __future__ import annotations

import llvmlite.binding as llvm

from .ir import Function, Module, Unsupported
from .parse import parse_module


def prepare(ir: str, entry: str) -> tuple[Module, Function]:
    """Parse ``ir`` and return its module with the function ``entry`` in the shape the widening needs.

    Loops get one latch and dedicated exits (loop-simplify), values that leave a loop do so through a phi
    (LCSSA), and switches become branches.
    """
    llvm.initialize_native_target()
    module = llvm.parse_assembly(ir)
    for function in module.functions:
        if not function.is_declaration and function.name != entry:
            function.linkage = "internal"
    builder = llvm.create_pass_builder(
        llvm.Target.from_default_triple().create_target_machine(),
        llvm.create_pipeline_tuning_options(speed_level=1),
    )
    passes = llvm.create_new_module_pass_manager()
    for add in (
        passes.add_global_dead_code_eliminate_pass,
        passes.add_always_inliner_pass,
        passes.add_global_dead_code_eliminate_pass,
        passes.add_aggressive_dce_pass,
        passes.add_lower_switch_pass,
        passes.add_loop_simplify_pass,
        passes.add_lcssa_pass,
        passes.add_instruction_namer_pass,
    ):
        add()
    passes.run(module, builder)
    parsed = parse_module(str(module))
    if entry not in parsed.functions:
        raise Unsupported(f"the kernel {entry!r} is not in the module")
    return parsed, parsed.functions[entry]
