// One barrier for both kinds of memory.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
// out: z float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
y[i] = 2 * a[i];
threadgroup_barrier(mem_flags::mem_device | mem_flags::mem_threadgroup);
z[i] = y[63 - i] + t[63 - i];
