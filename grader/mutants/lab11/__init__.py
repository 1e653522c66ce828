"""Wrong kernels for the first exercise of lab 05: one SIMD-group an output."""
