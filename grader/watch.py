"""Watch what a learner's function launches.

`mx.fast.metal_kernel` returns an opaque object, so the only place to see a launch is the factory itself.
`install()` puts a thin layer round it. Outside `watching()` the layer passes every call on unchanged.
Inside, each launch

- is recorded: the kernel's name and source, its grid, its inputs and outputs;
- gets outputs with a *red zone* behind them, so that a kernel that writes past the end is found and harms
  nothing;
- gets outputs filled with a *poison*, so that an element never written shows;
- may run *checked*, on the CPU whatever the machine: see `anymetal.checked`. Its outputs get no red zone
  then, since every access is looked at before it happens;
- may be replaced by a fake that returns only NaN. An answer that survives that did not come from the kernel.

A kernel's generated signature holds no shape of an output, so none of this can be seen from inside a kernel.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import mlx.core as mx
import numpy as np

from anymetal.checks import Counters, Finding, checked
from anymetal.checks.report import active
from grader.data import LARGEST_THREADGROUP_EDGE, RED_ZONE_MOST

NAN = float("nan")
# Rounds of one loop by one SIMD-group, after which it is taken for endless. No case sums more than some
# thousand products.
BACK_EDGES = 4_000_000


@dataclass
class Launch:
    """One call of one kernel, as the learner made it."""

    name: str
    source: str
    grid: tuple[int, ...]
    threadgroup: tuple[int, ...]
    inputs: list[mx.array]
    outputs: list[mx.array]
    fill: float
    """What the outputs held before the launch: the poison, or the learner's own `init_value`."""
    red_zones: list[mx.array]
    header: str = ""
    input_names: tuple[str, ...] = ()
    output_names: tuple[str, ...] = ()
    findings: list[Finding] = field(default_factory=list)
    """What the checked run found; empty where the launch did not run checked."""
    counters: Counters | None = None
    """What the checked run counted."""

    def strays(self) -> list[int]:
        """How far behind the end of each output the kernel wrote, in elements: 0 where it did not."""
        distances: list[int] = []
        for zone in self.red_zones:
            untouched = (
                mx.isnan(zone) if math.isnan(self.fill) else zone == mx.array(self.fill, dtype=zone.dtype)
            )
            touched = mx.arange(1, zone.size + 1) * mx.logical_not(untouched)
            distances.append(int(np.array(touched).max()))
        return distances


@dataclass
class Watch:
    """What happened inside one `watching()` block. `poison` fills outputs; `fake` launches nothing at all;
    `check` runs each launch checked."""

    poison: float = NAN
    fake: bool = False
    check: bool = False
    launches: list[Launch] = field(default_factory=list)
    reference_called: bool = False


_active: Watch | None = None


class WatchedKernel:
    """What `mx.fast.metal_kernel` returns while the grader is loaded: the same call, seen."""

    def __init__(self, kernel: Callable[..., Any], made_with: dict[str, Any]) -> None:
        self._kernel, self.made_with = kernel, made_with
        self._twin: Callable[..., Any] | None = None

    def __call__(self, **arguments: Any) -> Any:
        if _active is None:
            # Inside `anymetal.checked()` a launch is to be counted, which nothing can do on a GPU.
            return self._kernel(**arguments) if active() is None else self.on_cpu(**arguments)
        return _launch(_active, self, arguments)

    def plainly(self, **arguments: Any) -> Any:
        """The launch itself, unseen."""
        return self._kernel(**arguments)

    def on_cpu(self, **arguments: Any) -> Any:
        """The same launch by anymetal, on a Mac too: only anymetal can check."""
        from anymetal.metal_kernel import MetalKernel, metal_kernel

        if self._twin is None:
            self._twin = (
                self._kernel if isinstance(self._kernel, MetalKernel) else metal_kernel(**self.made_with)
            )
        return self._twin(**arguments)

    def __repr__(self) -> str:
        return f"<metal_kernel {self.made_with.get('name', '')!r}>"


class WatchedFactory:
    """Stands in for `mx.fast.metal_kernel`."""

    def __init__(self, factory: Callable[..., Any]) -> None:
        # anymetal.install() looks for this, and leaves a layer over its own function in place: a learner who
        # runs the set-up cell again must not lose it.
        self.__wrapped__ = factory
        self.__doc__ = factory.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> WatchedKernel:
        kernel = self.__wrapped__(*args, **kwargs)
        names = ("name", "input_names", "output_names", "source", "header")
        return WatchedKernel(kernel, dict(zip(names, args, strict=False)) | kwargs)


def install() -> None:
    """Make `mx.fast.metal_kernel` work on this machine and watch it. A second call changes nothing."""
    import anymetal

    if isinstance(mx.fast.metal_kernel, WatchedFactory):
        return
    anymetal.install()
    factory: Any = WatchedFactory(mx.fast.metal_kernel)
    mx.fast.metal_kernel = factory


@contextmanager
def watching(poison: float = NAN, *, fake: bool = False, check: bool = False) -> Iterator[Watch]:
    """Record every launch inside the block. `fake=True` launches nothing and returns NaN for every output;
    `check=True` runs launches checked, so that nothing a kernel does can harm the process."""
    global _active
    before, _active = _active, Watch(poison, fake, check)
    profiler = sys.getprofile()
    watch = _active

    # A learner may reach the reference by any import, before or after the grader was loaded. Seeing its
    # frames run needs no cooperation from it.
    def see_reference(frame: Any, event: str, _argument: object) -> None:
        if event == "call" and str(frame.f_globals.get("__name__", "")).split(".")[0] == "kernels":
            watch.reference_called = True

    sys.setprofile(see_reference)
    try:
        yield watch
    finally:
        sys.setprofile(profiler)
        _active = before


def _launch(watch: Watch, kernel: WatchedKernel, arguments: dict[str, Any]) -> list[mx.array]:
    shapes: Sequence[Sequence[int]] = arguments["output_shapes"]
    dtypes: Sequence[mx.Dtype] = arguments["output_dtypes"]
    fill = arguments.get("init_value")
    fill = watch.poison if fill is None else float(fill)
    sizes = [math.prod(shape) for shape in shapes]
    padded = [
        size + (0 if watch.check else _red_zone(shape)) for size, shape in zip(sizes, shapes, strict=True)
    ]
    made_with = kernel.made_with
    launch = Launch(
        name=str(made_with.get("name", "")),
        source=str(made_with.get("source", "")),
        grid=tuple(arguments["grid"]),
        threadgroup=tuple(arguments["threadgroup"]),
        # A number is an input too: the names go with the inputs by their order.
        inputs=[each if isinstance(each, mx.array) else mx.array(each) for each in arguments["inputs"]],
        outputs=[],
        fill=fill,
        red_zones=[],
        header=str(made_with.get("header", "")),
        input_names=tuple(made_with.get("input_names", ())),
        output_names=tuple(made_with.get("output_names", ())),
    )
    changed = {"output_shapes": [(size,) for size in padded], "init_value": fill, "verbose": False}
    if watch.fake:
        whole = [mx.full((size,), NAN, dtype=dtype) for size, dtype in zip(padded, dtypes, strict=True)]
    elif watch.check:
        with checked(back_edges=BACK_EDGES) as report, _unprofiled():
            whole = kernel.on_cpu(**(arguments | changed))
        launch.findings, launch.counters = report.findings, report.counters
    else:
        with _unprofiled():
            whole = kernel.plainly(**(arguments | changed))
            mx.eval(whole)
    launch.outputs = [
        out[:size].reshape(shape) for out, size, shape in zip(whole, sizes, shapes, strict=True)
    ]
    launch.red_zones = [out[size:] for out, size in zip(whole, sizes, strict=True) if out.size > size]
    watch.launches.append(launch)
    return launch.outputs


@contextmanager
def _unprofiled() -> Iterator[None]:
    """Our compiler is a hundred thousand calls of Python, and none of them is the learner's."""
    profiler = sys.getprofile()
    sys.setprofile(None)
    try:
        yield
    finally:
        sys.setprofile(profiler)


def _red_zone(shape: Sequence[int]) -> int:
    # A wrong kernel rounds a size up to a threadgroup's edge, or takes one size for another. Its stray writes
    # must land in the red zone, or they hit the process.
    return min((max(shape, default=1) + LARGEST_THREADGROUP_EDGE) ** 2, RED_ZONE_MOST)
