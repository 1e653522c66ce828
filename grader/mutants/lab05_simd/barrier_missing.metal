// cause: race
// Lanes meet in threadgroup memory, and lane 0 adds what they left there without waiting for it.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(w[n * K + k]) * float(x[k]);
}
threadgroup float shares[256];
threadgroup float* mine = shares + 32 * simdgroup_index_in_threadgroup;
mine[lane] = sum;
if (lane == 0) {
    float total = 0;
    for (uint i = 0; i < 32; i++) {
        total += mine[i];
    }
    y[n] = T(total);
}
