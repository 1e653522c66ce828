"""Wrong kernels for lab 15: nested widths from planes of bits."""
