// After the last barrier, whoever has nothing to do may go.
// grid: 128 1 1
// threadgroup: 128 1 1
// in: a float32 128
// out: y float32 1
uint i = thread_position_in_grid.x;
threadgroup float sums[4];
float sum = simd_sum(a[i]);
if (simd_is_first()) {
    sums[simdgroup_index_in_threadgroup] = sum;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (simdgroup_index_in_threadgroup != 0) {
    return;
}
sum = simd_sum(i < 4 ? sums[i] : 0.0f);
if (i == 0) {
    y[0] = sum;
}
