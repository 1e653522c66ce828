// The shape of an array with two axes has no third entry.
// grid: 12 1 1
// threadgroup: 12 1 1
// in: a float32 3,4
// out: y float32 12
uint i = thread_position_in_grid.x;
y[i] = a[i] + float(a_shape[0] + a_shape[1] + a_shape[2]);  //! out-of-bounds a_shape[2] of 2 x12
