// cause: uninitialised
// Sums up in threadgroup memory that nothing has cleared.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
threadgroup float sums[256];
if (m >= M || n >= N) {
    return;
}
uint own = thread_index_in_threadgroup;
for (uint k = 0; k < K; k++) {
    sums[own] += float(x[m * K + k]) * float(w[k * N + n]);
}
y[m * N + n] = T(sums[own]);
