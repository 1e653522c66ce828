// Rows and columns mixed up: right for a square, wrong for 5×8.
// grid: 8 5 1
// threadgroup: 8 5 1
// in: a float32 5,8
// out: y float32 5,8
uint2 p = thread_position_in_grid.xy;
y[p.y * 8 + p.x] = a[p.x * 8 + p.y];  //! out-of-bounds a[40] of 40 x15
