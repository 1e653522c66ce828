// cause: writes-past-end
// The last SIMD-group takes four rows, whether they are there or not.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32 * 4;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
uint rows = 4;
float sum[4] = {};
for (uint k = lane; k < K; k += 32) {
    float xk = x[k];
    for (uint r = 0; r < 4; r++) {
        if (r < rows) {
            sum[r] += float(w[(n + r) * K + k]) * xk;
        }
    }
}
for (uint r = 0; r < rows; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0) {
        y[n + r] = T(total);
    }
}
