// cause: writes-past-end
// Nothing keeps threads beyond the edges from storing.
threadgroup T tile[16][16];
uint M = x_shape[0], N = x_shape[1];
uint2 t = thread_position_in_threadgroup.xy;
uint2 origin = 16 * threadgroup_position_in_grid.xy;
uint m = origin.y + t.y;
uint n = origin.x + t.x;
tile[t.y][t.x] = m < M && n < N ? x[m * N + n] : T(0);
threadgroup_barrier(mem_flags::mem_threadgroup);
m = origin.y + t.x;
n = origin.x + t.y;
y[n * M + m] = tile[t.x][t.y];
