// Two barriers are not one, though everyone comes to one of them.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
if (simdgroup_index_in_threadgroup == 0) {
    t[i] = a[i];
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier
} else {
    t[i] = -a[i];
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
y[i] = t[63 - i];
