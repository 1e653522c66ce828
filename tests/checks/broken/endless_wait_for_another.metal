// A lane waits for a flag that another lane would set afterwards.
// grid: 32 1 1
// threadgroup: 32 1 1
// out: y uint32 32
// budget: 10000
// finds: unwritten-output y[0] of 32 x32
uint i = thread_position_in_grid.x;
threadgroup atomic_uint flag;
if (i == 0) {
    atomic_store_explicit(&flag, 0, memory_order_relaxed);
}
simdgroup_barrier(mem_flags::mem_threadgroup);
while (atomic_load_explicit(&flag, memory_order_relaxed) == 0) {  //! endless-loop x1
}
atomic_store_explicit(&flag, 1, memory_order_relaxed);
y[i] = i;
