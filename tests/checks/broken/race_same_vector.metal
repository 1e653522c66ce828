// Four floats at once, by two threads, the same.
// grid: 64 1 1
// threadgroup: 64 1 1
// out: y float32 128
uint i = thread_position_in_grid.x;
((device float4*)y)[i / 2] = float4(1, 2, 3, i / 2);  //! same-value-race y[0] of 128 x32 with 0
