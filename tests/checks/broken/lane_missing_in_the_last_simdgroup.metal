// 40 threads: the second SIMD-group has 8 lanes.
// grid: 40 1 1
// threadgroup: 40 1 1
// in: a float32 40
// out: y float32 40
uint i = thread_position_in_grid.x;
y[i] = simd_broadcast(a[i], ushort(31));  //! inactive-lane x8
