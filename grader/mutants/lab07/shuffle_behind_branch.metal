// cause: inactive-lane
// The lanes are added by shuffles that only lane 0 comes to.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sums[M] = {};
for (uint k = lane; k < K; k += 32) {
    float weight = w[n * K + k];
    for (int m = 0; m < M; m++) {
        sums[m] += float(x[m * K + k]) * weight;
    }
}
for (int m = 0; m < M; m++) {
    if (lane == 0) {
        float total = sums[m];
        for (uint other = 1; other < 32; other++) {
            total += simd_shuffle(sums[m], ushort(other));
        }
        y[m * N + n] = T(total);
    }
}
