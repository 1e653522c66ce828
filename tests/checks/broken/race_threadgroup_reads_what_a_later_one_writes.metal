// The reader comes first here; on a GPU, who knows.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
// out: z float32 64
// option: init_value = 0
uint i = thread_position_in_grid.x;
z[i] = i < 32 ? y[i + 32] : 1.0f;
threadgroup_barrier(mem_flags::mem_device);
y[i] = a[i];  //! race y[32] of 64 x32 with -2
