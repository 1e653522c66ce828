// cause: race
// Eight SIMD-groups share a row; the shares are added before all of them are there.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
threadgroup float shares[M][8];
uint group = simdgroup_index_in_threadgroup;
for (uint row = n - group; row < n - group + 8; row++) {
    float sums[M] = {};
    for (uint k = 32 * group + lane; k < K && row < N; k += 256) {
        float weight = w[row * K + k];
        for (int m = 0; m < M; m++) {
            sums[m] += float(x[m * K + k]) * weight;
        }
    }
    for (int m = 0; m < M; m++) {
        float total = simd_sum(sums[m]);
        if (lane == 0) {
            shares[m][group] = total;
        }
    }
    if (group == 0 && row < N && lane < uint(M)) {
        float total = 0;
        for (int i = 0; i < 8; i++) {
            total += shares[lane][i];
        }
        y[lane * N + row] = T(total);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
