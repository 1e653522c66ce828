// A neighbour to the right that the last thread does not have.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
y[i] = a[i] - a[i + 1];  //! out-of-bounds a[64] of 64 x1
