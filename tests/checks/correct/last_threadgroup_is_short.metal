// A barrier in a threadgroup that the grid cuts short.
// grid: 75 1 1
// threadgroup: 32 1 1
// in: a float32 75
// out: y float32 75
uint i = thread_position_in_grid.x, lid = thread_position_in_threadgroup.x;
threadgroup float t[32];
uint n = threads_per_threadgroup.x;
t[lid] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[n - 1 - lid];
