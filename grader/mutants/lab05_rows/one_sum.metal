// cause: rows-added
// One sum for all four rows.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32 * 4;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
uint rows = min(4u, N - n);
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    float xk = x[k];
    for (uint r = 0; r < 4; r++) {
        if (r < rows) {
            sum += float(w[(n + r) * K + k]) * xk;
        }
    }
}
for (uint r = 0; r < rows; r++) {
    float total = simd_sum(sum);
    if (lane == 0) {
        y[n + r] = T(total);
    }
}
