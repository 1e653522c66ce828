// cause: race
// Neighbours exchange their sums through threadgroup memory without a barrier: right here, by luck.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
threadgroup float sums[256];
uint own = thread_index_in_threadgroup;
float sum = 0;
for (uint k = 0; k < K && m < M && n < N; k++) {
    sum += float(x[m * K + k]) * float(w[k * N + n]);
}
sums[own] = sum;
if (m < M && (n ^ 1) < N) {
    y[m * N + (n ^ 1)] = T(sums[own ^ 1]);
}
