// All threads take the branch, or none.
// grid: 128 1 1
// threadgroup: 64 1 1
// in: a float32 128
// in: n uint32 scalar = 1
// out: y float32 128
uint i = thread_position_in_grid.x, lid = thread_position_in_threadgroup.x;
threadgroup float t[64];
float x = a[i];
if (threadgroup_position_in_grid.x == n) {
    t[lid] = x;
    threadgroup_barrier(mem_flags::mem_threadgroup);
    x = t[63 - lid];
}
y[i] = x;
