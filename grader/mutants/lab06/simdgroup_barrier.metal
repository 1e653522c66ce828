// cause: race
// Barriers of a SIMD-group, where all eight share the tile.
uint lane = thread_index_in_simdgroup;
uint t = thread_index_in_threadgroup;
uint n = (threadgroup_position_in_grid.x * 8 + simdgroup_index_in_threadgroup) * ROWS;
uint N = w_shape[0];
uint K = w_shape[1];

threadgroup T tile[TILE];

uint rows = n < N ? min(uint(ROWS), N - n) : 0;
float sums[ROWS] = {};
for (uint k0 = 0; k0 < K; k0 += TILE) {
    uint width = min(uint(TILE), K - k0);
    for (uint k = t; k < width; k += 256) {
        tile[k] = x[k0 + k];
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);
    for (uint k = lane; k < width; k += 32) {
        float xk = tile[k];
        for (uint r = 0; r < ROWS; r++) {
            if (r < rows) {
                sums[r] += float(w[(n + r) * K + k0 + k]) * xk;
            }
        }
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);
}
for (uint r = 0; r < ROWS; r++) {
    float total = simd_sum(sums[r]);
    if (lane == 0 && r < rows) {
        y[n + r] = T(total);
    }
}
