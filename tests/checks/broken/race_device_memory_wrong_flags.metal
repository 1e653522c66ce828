// Threads exchange through device memory, and the barrier orders threadgroup memory.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
// out: z float32 64
uint i = thread_position_in_grid.x;
y[i] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
z[i] = y[63 - i];  //! race y x64 with -2
