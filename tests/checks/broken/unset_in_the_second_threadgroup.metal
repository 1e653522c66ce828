// Threadgroup memory does not outlive its threadgroup.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 64
uint i = thread_position_in_grid.x, lid = thread_position_in_threadgroup.x;
threadgroup float t[32];
if (threadgroup_position_in_grid.x == 0) {
    t[lid] = a[lid];
}
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[31 - lid];  //! uninitialised t[31] of 32 x32
