// The first threadgroup is whole; in the second, threads return before.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 40
// out: y float32 40
uint i = thread_position_in_grid.x, lid = thread_position_in_threadgroup.x;
threadgroup float t[32];
t[lid] = 0;
if (i >= 40) {
    return;
}
threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier x24
y[i] = a[i] + t[lid];
