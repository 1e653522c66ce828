"""Wrong kernels for the second exercise of lab 05: four outputs a SIMD-group."""
