// One SIMD-group waits for others that never come.
// grid: 128 1 1
// threadgroup: 128 1 1
// in: a float32 128
// out: y float32 128
uint i = thread_position_in_grid.x;
if (simdgroup_index_in_threadgroup == 2) {
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier x3
}
y[i] = a[i];
