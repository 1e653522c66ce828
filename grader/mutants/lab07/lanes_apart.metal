// cause: over-budget
// A lane takes K / 32 neighbours: each weight is asked for once, and no two lanes are side by side.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sums[M] = {};
uint share = (K + 31) / 32;
for (uint k = lane * share; k < min(K, (lane + 1) * share); k++) {
    float weight = w[n * K + k];
    for (int m = 0; m < M; m++) {
        sums[m] += float(x[m * K + k]) * weight;
    }
}
for (int m = 0; m < M; m++) {
    float total = simd_sum(sums[m]);
    if (lane == 0) {
        y[m * N + n] = T(total);
    }
}
