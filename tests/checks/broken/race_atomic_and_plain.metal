// The counter is read while others still count.
// grid: 64 1 1
// threadgroup: 64 1 1
// out: y uint32 64
uint i = thread_position_in_grid.x;
threadgroup atomic_uint count;
if (i == 0) {
    atomic_store_explicit(&count, 0, memory_order_relaxed);
}
threadgroup_barrier(mem_flags::mem_threadgroup);
atomic_fetch_add_explicit(&count, i, memory_order_relaxed);
y[i] = *(threadgroup uint*)&count;  //! race count[0] of 1 with -1
