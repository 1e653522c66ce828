// cause: race
// Nothing stands between the load and the other thread's store.
threadgroup T tile[16][16];
uint M = x_shape[0], N = x_shape[1];
uint2 t = thread_position_in_threadgroup.xy;
uint2 origin = 16 * threadgroup_position_in_grid.xy;
uint m = origin.y + t.y;
uint n = origin.x + t.x;
if (m < M && n < N) {
    tile[t.y][t.x] = x[m * N + n];
}
m = origin.y + t.x;
n = origin.x + t.y;
if (m < M && n < N) {
    y[n * M + m] = tile[t.x][t.y];
}
