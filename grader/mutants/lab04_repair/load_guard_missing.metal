// cause: reads-past-end
// Nothing keeps threads beyond the edges from loading.
threadgroup T tile[16][16];
uint M = x_shape[0], N = x_shape[1];
uint2 t = thread_position_in_threadgroup.xy;
uint2 origin = 16 * threadgroup_position_in_grid.xy;
uint m = origin.y + t.y;
uint n = origin.x + t.x;
tile[t.y][t.x] = x[m * N + n];
threadgroup_barrier(mem_flags::mem_threadgroup);
m = origin.y + t.x;
n = origin.x + t.y;
if (m < M && n < N) {
    y[n * M + m] = tile[t.x][t.y];
}
