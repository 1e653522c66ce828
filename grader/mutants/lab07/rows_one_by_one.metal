// cause: over-budget
// The loop over m stands around the loop over k: each weight is loaded M times.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
for (int m = 0; m < M; m++) {
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        sum += float(x[m * K + k]) * float(w[n * K + k]);
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[m * N + n] = T(sum);
    }
}
