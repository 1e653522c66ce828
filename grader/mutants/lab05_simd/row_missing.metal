// cause: row-zero
// The row is missing from the index into w.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(w[k]) * float(x[k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
