"""Sums of rows, three ways: what threads do together, before there is a product to think of."""

from kernels.reduction.launch import lanes, threadgroup, tree

__all__ = ["lanes", "threadgroup", "tree"]
