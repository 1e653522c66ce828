// Group 0 sets the counter to zero; the other may have counted before.
// grid: 64 1 1
// threadgroup: 32 1 1
// out: y uint32 1
// option: init_value = 0
// option: atomic_outputs = True
uint i = thread_position_in_grid.x;
if (i == 0) {
    *(device uint*)y = 0;
}
threadgroup_barrier(mem_flags::mem_device);
atomic_fetch_add_explicit(&y[0], 1u, memory_order_relaxed);  //! race y[0] of 1 with -3
