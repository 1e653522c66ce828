// A small input comes in constant memory, and it has an end too.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 5
// out: y float32 32
uint i = thread_position_in_grid.x;
y[i] = a[i % 6];  //! out-of-bounds a[5] of 5 x5
