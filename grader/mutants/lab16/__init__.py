"""Wrong kernels for lab 16. The grader must refuse each and name the cause that its file states."""
