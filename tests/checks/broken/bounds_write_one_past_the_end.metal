// One thread too many.
// grid: 65 1 1
// threadgroup: 32 1 1
// out: y float32 64
uint i = thread_position_in_grid.x;
y[i] = float(i);  //! out-of-bounds y[64] of 64 x1
