// Rows in, columns out; the padding is never touched.
// grid: 16 16 1
// threadgroup: 8 8 1
// in: a float32 16,16
// out: y float32 16,16
uint2 l = thread_position_in_threadgroup.xy, g = threadgroup_position_in_grid.xy;
threadgroup float t[8][9];
t[l.y][l.x] = a[(8 * g.y + l.y) * 16 + 8 * g.x + l.x];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[(8 * g.x + l.y) * 16 + 8 * g.y + l.x] = t[l.x][l.y];
