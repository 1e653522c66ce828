// cause: writes-past-end
// SIMD-groups past the last row compute and store too.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(w[n * K + k]) * float(x[k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
