"""A transposing copy, two ways: where rows become columns, one side of the copy is apart in memory."""

from kernels.transpose.launch import apart, tiled

__all__ = ["apart", "tiled"]
