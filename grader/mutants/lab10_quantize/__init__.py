"""Wrong answers to the first exercise of lab 10: weights to blocks of Q4_0."""
