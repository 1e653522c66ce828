// A barrier for device memory between accesses of threadgroup memory.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
threadgroup_barrier(mem_flags::mem_device);
y[i] = t[63 - i];  //! race t x64 with -2
