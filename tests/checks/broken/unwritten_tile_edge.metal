// 10 rows in tiles of 4: the last two are left out.
// grid: 8 8 1
// threadgroup: 8 4 1
// in: a float32 10,8
// out: y float32 10,8
// finds: unwritten-output y[64] of 80 x16
uint2 p = thread_position_in_grid.xy;
y[8 * p.y + p.x] = a[8 * p.y + p.x];
