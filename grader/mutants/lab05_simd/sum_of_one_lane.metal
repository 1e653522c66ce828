// cause: one-lane
// Only lane 0 is there when simd_sum adds.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(w[n * K + k]) * float(x[k]);
}
if (lane == 0) {
    y[n] = T(simd_sum(sum));
}
