// Counting without locks, in threadgroup memory first.
// grid: 128 1 1
// threadgroup: 64 1 1
// in: a uint32 128 = np.arange(128) * 7 % 8
// out: y uint32 8
// option: init_value = 0
// option: atomic_outputs = True
uint i = thread_position_in_grid.x, lid = thread_position_in_threadgroup.x;
threadgroup atomic_uint bins[8];
if (lid < 8) {
    atomic_store_explicit(&bins[lid], 0, memory_order_relaxed);
}
threadgroup_barrier(mem_flags::mem_threadgroup);
atomic_fetch_add_explicit(&bins[a[i]], 1, memory_order_relaxed);
threadgroup_barrier(mem_flags::mem_threadgroup);
if (lid < 8) {
    uint n = atomic_load_explicit(&bins[lid], memory_order_relaxed);
    atomic_fetch_add_explicit(&y[lid], n, memory_order_relaxed);
}
