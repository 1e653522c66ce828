// A count of the threads that found something, without atomics.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64 = np.arange(64) - 9.5
// out: y uint32 1
uint i = thread_position_in_grid.x;
threadgroup uint count;
if (i == 0) {
    count = 0;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (a[i] > 0) {
    count += 1;  //! race count with 0
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (i == 0) {
    y[0] = count;
}
