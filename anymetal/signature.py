"""The Metal source that `mx.fast.metal_kernel` makes of a kernel's body.

Text in, text out: no array is touched here. The text is the one that MLX 0.32 generates, character for
character (`mlx/backend/common/metal_kernel.cpp`); the tests compare the two. For the front end there is a
second form of the same text, with `#line` markers, so that a mistake is shown on the line that the learner
wrote.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

# MLX passes inputs with fewer elements than this in the constant address space.
CONSTANT_BELOW = 8

# Grid and thread attributes that become parameters when the body names them, in MLX's order.
ATTRIBUTES = (
    ("dispatch_quadgroups_per_threadgroup", "uint"),
    ("dispatch_simdgroups_per_threadgroup", "uint"),
    ("dispatch_threads_per_threadgroup", "uint3"),
    ("grid_origin", "uint3"),
    ("grid_size", "uint3"),
    ("quadgroup_index_in_threadgroup", "uint"),
    ("quadgroups_per_threadgroup", "uint"),
    ("simdgroup_index_in_threadgroup", "uint"),
    ("simdgroups_per_threadgroup", "uint"),
    ("thread_execution_width", "uint"),
    ("thread_index_in_quadgroup", "uint"),
    ("thread_index_in_simdgroup", "uint"),
    ("thread_index_in_threadgroup", "uint"),
    ("thread_position_in_grid", "uint3"),
    ("thread_position_in_threadgroup", "uint3"),
    ("threadgroup_position_in_grid", "uint3"),
    ("threadgroups_per_grid", "uint3"),
    ("threads_per_grid", "uint3"),
    ("threads_per_simdgroup", "uint"),
    ("threads_per_threadgroup", "uint3"),
)

# The names that diagnostics give to the learner's two texts, and to ours.
SOURCE, HEADER, GENERATED = "source", "header", "<generated>"

# MLX puts this header before every custom kernel.
PREAMBLE = '#include "mlx/backend/metal/kernels/utils.h"\n'


@dataclass(frozen=True)
class Input:
    """How one input reaches the kernel: `type` in Metal, its address space, and whether it is a reference
    (0-d).
    """

    type: str
    constant: bool
    scalar: bool


@dataclass(frozen=True)
class Extras:
    """Which of `x_shape`, `x_strides` and `x_ndim` the body names for an input `x`."""

    shape: bool
    strides: bool
    ndim: bool


@dataclass(frozen=True)
class Template:
    """A template argument: its `kind` ("int", "bool" or "typename"), and its value as Metal text."""

    name: str
    kind: str
    value: str


@dataclass(frozen=True)
class Generated:
    """The kernel's name, the text as MLX prints it, and the text for the front end."""

    name: str
    text: str
    marked: str


def extras(name: str, source: str) -> Extras:
    """MLX looks for the bare text, so that a name which merely contains it counts too."""
    return Extras(f"{name}_shape" in source, f"{name}_strides" in source, f"{name}_ndim" in source)


def generate(
    *,
    name: str,
    header: str,
    source: str,
    input_names: Sequence[str],
    inputs: Sequence[Input],
    output_names: Sequence[str],
    output_types: Sequence[str],
    template: Sequence[Template],
    atomic_outputs: bool,
) -> Generated:
    """The whole source of a kernel for one combination of types."""
    full_name = _mangle(name, inputs, output_types, template)
    head = _template_head(template) + _signature(
        full_name, source, input_names, inputs, output_names, output_types, atomic_outputs
    )
    tail = "\n}\n" + _instantiation(full_name, template)
    text = header + head + source + tail
    marked = (
        f'#line 1 "{GENERATED}"\n{PREAMBLE}'
        f'#line 1 "{HEADER}"\n{header}\n'
        f'#line 2 "{GENERATED}"\n{head}'
        f'#line 1 "{SOURCE}"\n{source}\n'
        f'#line {2 + head.count(chr(10))} "{GENERATED}"{tail}'
    )
    return Generated(full_name, text, marked)


def _mangle(
    name: str, inputs: Sequence[Input], output_types: Sequence[str], template: Sequence[Template]
) -> str:
    parts = ["custom_kernel_" + name]
    if template:
        parts.append("_" + "_".join(t.value.replace("-", "_") for t in template))
    for one in inputs:
        parts.append(one.type + ("s" if one.scalar else "c" if one.constant else ""))
    return "_".join([*parts, *output_types])


def _template_head(template: Sequence[Template]) -> str:
    if not template:
        return ""
    return "template <" + ", ".join(f"{t.kind} {t.name}" for t in template) + ">\n"


def _instantiation(full_name: str, template: Sequence[Template]) -> str:
    if not template:
        return ""
    instance = f"{full_name}<{', '.join(t.value for t in template)}>"
    return f'\ntemplate [[host_name("{full_name}")]] [[kernel]] decltype({instance}) {instance};\n'


def _signature(
    full_name: str,
    source: str,
    input_names: Sequence[str],
    inputs: Sequence[Input],
    output_names: Sequence[str],
    output_types: Sequence[str],
    atomic_outputs: bool,
) -> str:
    parameters: list[str] = []

    def buffer(declaration: str) -> None:
        index = len(parameters)
        parameters.append(f"  {declaration} [[buffer({index})]]")

    for name, one in zip(input_names, inputs):
        space, mark = "constant" if one.constant else "device", "&" if one.scalar else "*"
        buffer(f"const {space} {one.type}{mark} {name}")
        if not one.scalar:
            named = extras(name, source)
            if named.shape:
                buffer(f"const constant int* {name}_shape")
            if named.strides:
                buffer(f"const constant int64_t* {name}_strides")
            if named.ndim:
                buffer(f"const constant int& {name}_ndim")
    for name, type_ in zip(output_names, output_types):
        buffer(f"device {f'atomic<{type_}>' if atomic_outputs else type_}* {name}")
    parameters += [f"  {type_} {name} [[{name}]]" for name, type_ in ATTRIBUTES if name in source]
    return f"[[kernel]] void {full_name}(\n" + ",\n".join(parameters) + ") {\n"
