// A neighbour to the left that the first thread does not have.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
int i = thread_position_in_grid.x;
y[i] = a[i] - a[i - 1];  //! out-of-bounds a[-1] of 64 x1
