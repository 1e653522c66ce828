// cause: writes-past-end
// The store keeps the guard of the load: at ragged edges it asks for the wrong elements.
threadgroup T tile[16][16];
uint M = x_shape[0], N = x_shape[1];
uint2 t = thread_position_in_threadgroup.xy;
uint2 origin = 16 * threadgroup_position_in_grid.xy;
uint m = origin.y + t.y;
uint n = origin.x + t.x;
if (m < M && n < N) {
    tile[t.y][t.x] = x[m * N + n];
}
threadgroup_barrier(mem_flags::mem_threadgroup);
bool mine = m < M && n < N;
m = origin.y + t.x;
n = origin.x + t.y;
if (mine) {
    y[n * M + m] = tile[t.x][t.y];
}
