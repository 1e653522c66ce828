// cause: rows-added
// One sum serves all rows and is not cleared between them.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (int m = 0; m < M; m++) {
    for (uint k = lane; k < K; k += 32) {
        sum += float(x[m * K + k]) * float(w[n * K + k]);
    }
    float total = simd_sum(sum);
    if (lane == 0) {
        y[m * N + n] = T(total);
    }
}
