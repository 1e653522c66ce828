// cause: over-budget
// One row after the other: x is loaded again for each.
uint lane = thread_index_in_simdgroup;
uint first = thread_position_in_grid.x / 32 * 4;
uint N = w_shape[0];
uint K = w_shape[1];
for (uint n = first; n < min(first + 4, N); n++) {
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        sum += float(w[n * K + k]) * float(x[k]);
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[n] = T(sum);
    }
}
