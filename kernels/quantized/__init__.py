"""Matmuls whose weights are quantized: ``Y[M, N] = X[M, K] · W[N, K]ᵀ`` with W in a few bits a weight.

One module a format: how to quantize and dequantize it, in NumPy, and its kernels' launches.

=======================  =====================================================================
module                   format
=======================  =====================================================================
``quantized.q4_0``       Q4_0 of GGUF: blocks of 32, 4.5 bits a weight
``quantized.q8_0``       Q8_0 of GGUF: blocks of 32, 8.5 bits a weight
``quantized.affine``     affine groups of MLX: 2 to 8 bits, groups of 32, 64 or 128
``quantized.q4_k``       Q4_K of GGUF: super-blocks of 256, 4.5 bits a weight
``quantized.nested``     one store of 8 bits, models of 2, 3, 4, 6 and 8 bits cut from it
=======================  =====================================================================

``quantized.weights`` says what all formats have in common. ``quantized.gguf_file`` reads those of GGUF.
"""
