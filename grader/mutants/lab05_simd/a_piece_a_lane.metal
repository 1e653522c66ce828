// cause: over-budget
// Each lane takes a piece of the row in one: right, and uncoalesced.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
uint share = (K + 31) / 32;
for (uint k = lane * share; k < min(K, (lane + 1) * share); k++) {
    sum += float(w[n * K + k]) * float(x[k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
