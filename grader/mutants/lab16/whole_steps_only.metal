// cause: k-tail
// Takes whole steps of 32 along K and leaves the rest.
uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x;
uint m = threadgroup_position_in_grid.y;
uint N = W_shape[0];
uint K = W_shape[1];
float sum = 0;
for (uint k = lane; k < K / 32 * 32; k += 32) {
    sum += float(X[m * K + k]) * float(W[n * K + k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    Y[m * N + n] = T(sum);
}
