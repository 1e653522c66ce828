// cause: half-products
// Sum and products are kept in the type of the inputs.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
T sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += w[n * K + k] * x[k];
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
