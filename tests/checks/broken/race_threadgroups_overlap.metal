// Both threadgroups write the same 32 elements.
// grid: 64 1 1
// threadgroup: 32 1 1
// out: y float32 32
uint i = thread_position_in_grid.x;
y[i % 32] = float(i);  //! race y[0] of 32 x32 with 0
