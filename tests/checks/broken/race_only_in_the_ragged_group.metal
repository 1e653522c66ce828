// The short way round for the last, short threadgroup forgets the barrier.
// grid: 80 1 1
// threadgroup: 32 1 1
// in: a float32 80
// out: y float32 80
uint i = thread_position_in_grid.x, lid = thread_position_in_threadgroup.x;
threadgroup float t[32];
uint size = threads_per_threadgroup.x;
t[lid] = a[i];
if (size == 32) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
y[i] = t[size - 1 - lid];  //! race t x16 with -4
