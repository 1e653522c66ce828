// All threads wait for each other, for ever.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
// budget: 1000
// finds: unwritten-output y[0] of 64 x64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
while (t[0] == t[0]) {  //! endless-loop x1
    threadgroup_barrier(mem_flags::mem_threadgroup);
    t[i] += 1;
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
y[i] = t[i];
