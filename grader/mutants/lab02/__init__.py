"""Wrong kernels for lab 02. The grader must refuse each and name the cause that its file states."""
