// An array for the threads, without a place for the neighbour.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
if (i == 0) {
    t[0] = 0;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
t[i + 1] = a[i];  //! out-of-bounds t[64] of 64 x1
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[i];
