"""Wrong sums across a threadgroup. The grader must refuse each and name the cause that its file states."""
