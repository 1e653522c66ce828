// Each SIMD-group leaves its sum; the first adds them up before all are there.
// grid: 128 1 1
// threadgroup: 128 1 1
// in: a float32 128
// out: y float32 1
uint i = thread_position_in_grid.x;
threadgroup float sums[4];
float mine = simd_sum(a[i]);
if (simd_is_first()) {
    sums[simdgroup_index_in_threadgroup] = mine;
}
if (simdgroup_index_in_threadgroup == 3) {
    float all = i % 32 < 4 ? sums[i % 32] : 0.0f;  //! race sums x4 with -3
    all = simd_sum(all);
    if (simd_is_first()) {
        y[0] = all;
    }
}
