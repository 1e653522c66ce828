// A counter in threadgroup memory that starts anywhere.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64 = np.arange(64) - 9.5
// out: y uint32 2
uint i = thread_position_in_grid.x;
threadgroup atomic_uint count;
if (a[i] > 0) {
    atomic_fetch_add_explicit(&count, 1u, memory_order_relaxed);  //! uninitialised count[0] of 1 x2
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (thread_position_in_threadgroup.x == 0) {
    y[threadgroup_position_in_grid.x] = atomic_load_explicit(&count, memory_order_relaxed);
}
