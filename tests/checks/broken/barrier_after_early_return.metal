// Threads past the end have left.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 50
// out: y float32 50
uint i = thread_position_in_grid.x;
threadgroup float t[64];
if (i >= 50) {
    return;
}
t[i] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier x14
y[i] = t[49 - i];
