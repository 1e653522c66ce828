"""Wrong kernels for lab 08. The grader must refuse each and name the cause that its file states."""
