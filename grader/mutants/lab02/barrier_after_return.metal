// cause: divergent-barrier
// Threads outside y leave before the barrier that the others wait at.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
threadgroup float sums[256];
if (m >= M || n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K; k++) {
    sum += float(x[m * K + k]) * float(w[k * N + n]);
}
sums[thread_index_in_threadgroup] = sum;
threadgroup_barrier(mem_flags::mem_threadgroup);
y[m * N + n] = T(sums[thread_index_in_threadgroup]);
