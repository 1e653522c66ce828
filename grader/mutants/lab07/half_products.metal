// cause: half-products
// Each product is rounded to the arrays' type before it is added.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sums[M] = {};
for (uint k = lane; k < K; k += 32) {
    T weight = w[n * K + k];
    for (int m = 0; m < M; m++) {
        sums[m] += x[m * K + k] * weight;
    }
}
for (int m = 0; m < M; m++) {
    float total = simd_sum(sums[m]);
    if (lane == 0) {
        y[m * N + n] = T(total);
    }
}
