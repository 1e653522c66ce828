"""Grades a learner's kernel: `grade("02", matmul)`.

`matmul` is a function of the exercise's arrays that launches a kernel made with `mx.fast.metal_kernel` and
returns its output. Importing this module makes `mx.fast.metal_kernel` work on this machine
(`anymetal.install()`) and watches it, so import it before you make a kernel.
"""

from grader import watch
from grader.exercise import Kernel
from grader.grading import WrongKernel, grade
from grader.hints import Hint, hint
from grader.report import Grade
from grader.timing import Times, Timing, time_kernel

watch.install()

__all__ = ["Grade", "Hint", "Kernel", "Times", "Timing", "WrongKernel", "grade", "hint", "time_kernel"]
