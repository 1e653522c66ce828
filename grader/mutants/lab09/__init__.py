"""Wrong kernels for lab 09. The grader must refuse each and name the cause that its file states."""
