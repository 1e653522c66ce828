"""Wrong kernels for the second exercise of lab 10: blocks of Q4_0 to numbers."""
