"""Q4_0 of GGUF: blocks of 32 weights in 18 bytes."""

from kernels.quantized.q4_0.dequantize import dequantize
from kernels.quantized.q4_0.format import BLOCK, BYTES, Q4_0, quantize, unpack

__all__ = ["BLOCK", "BYTES", "Q4_0", "dequantize", "quantize", "unpack"]
