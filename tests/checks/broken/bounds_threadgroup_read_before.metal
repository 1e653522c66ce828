// The left neighbour in threadgroup memory.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
int i = thread_position_in_grid.x;
int lid = thread_position_in_threadgroup.x;
threadgroup float t[32];
t[lid] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[lid] - t[lid - 1];  //! out-of-bounds t[-1] of 32 x2
