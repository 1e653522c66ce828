// Only 16 of 64 threads come to it.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
y[i] = a[i];
if (i < 16) {
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier
    y[i] = 0;
}
