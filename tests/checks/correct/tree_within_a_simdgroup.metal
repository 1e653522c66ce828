// A tree of lanes, with the SIMD-group's own barriers on both sides.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 2
uint i = thread_position_in_grid.x;
uint lane = thread_index_in_simdgroup;
threadgroup float t[64];
t[i] = a[i];
for (uint width = 16; width > 0; width /= 2) {
    simdgroup_barrier(mem_flags::mem_threadgroup);
    if (lane < width) {
        t[i] += t[i + width];
    }
}
if (lane == 0) {
    y[simdgroup_index_in_threadgroup] = t[i];
}
