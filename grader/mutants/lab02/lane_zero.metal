// cause: one-lane
// Every lane stores what lane 0 of its SIMD-group found.
uint n = thread_position_in_grid.x;
uint m = thread_position_in_grid.y;
uint M = x_shape[0];
uint K = x_shape[1];
uint N = w_shape[1];
m = min(m, M);
float sum = 0;
for (uint k = 0; k < K && m < M && n < N; k++) {
    sum += float(x[m * K + k]) * float(w[k * N + n]);
}
// A SIMD-group of a 16 × 16 threadgroup covers two rows of 16; shuffling within 16 lanes keeps them apart.
sum = simd_shuffle(sum, ushort(thread_index_in_simdgroup / 16 * 16));
if (m >= M || n >= N) {
    return;
}
y[m * N + n] = T(sum);
