// cause: divergent-barrier
// SIMD-groups past the last row leave before the barrier that the others wait at.
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
threadgroup float sums[8];
sum = simd_sum(sum);
if (lane == 0) {
    sums[simdgroup_index_in_threadgroup] = sum;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (lane == 0) {
    y[n] = T(sums[simdgroup_index_in_threadgroup]);
}
