// An output is no zero.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
y[i] += a[i];  //! uninitialised y[0] of 32 x32
