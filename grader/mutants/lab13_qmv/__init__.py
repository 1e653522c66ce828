"""Wrong kernels for the first exercise of lab 13: affine groups of any width."""
