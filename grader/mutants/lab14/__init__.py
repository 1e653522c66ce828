"""Wrong kernels for lab 14: the fused Q4_K GEMV."""
