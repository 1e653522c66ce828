"""Wrong sums across lanes. The grader must refuse each and name the cause that its file states."""
