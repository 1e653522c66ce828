// The first SIMD-group goes on between its own barriers while the others wait.
// grid: 128 1 1
// threadgroup: 128 1 1
// in: a float32 128
// out: y float32 128
uint i = thread_position_in_grid.x;
threadgroup float t[128];
t[i] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
if (simdgroup_index_in_threadgroup == 0) {
    for (uint width = 64; width >= 32; width /= 2) {
        for (uint k = i; k < width; k += 32) {
            t[k] += t[k + width];
        }
    }
    for (uint width = 16; width > 0; width /= 2) {
        simdgroup_barrier(mem_flags::mem_threadgroup);
        float other = t[(i + width) % 32];
        simdgroup_barrier(mem_flags::mem_threadgroup);
        t[i] += i < width ? other : 0.0f;
    }
}
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = a[i] / t[0];
