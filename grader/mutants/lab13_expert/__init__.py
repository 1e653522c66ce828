"""Wrong kernels for the second exercise of lab 13: one expert of a mixture."""
