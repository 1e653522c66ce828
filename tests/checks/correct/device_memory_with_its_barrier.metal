// Threads of one threadgroup exchange through an output.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
// out: z float32 64
uint i = thread_position_in_grid.x;
y[i] = 2 * a[i];
threadgroup_barrier(mem_flags::mem_device);
z[i] = y[i ^ 31];
