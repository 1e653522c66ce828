// Nothing orders threadgroups: no barrier does.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64
// out: y float32 64
// out: z float32 64
// option: init_value = 0
uint i = thread_position_in_grid.x;
y[i] = a[i];
threadgroup_barrier(mem_flags::mem_device);
z[i] = i >= 32 ? y[i - 32] : 1.0f;  //! race y[0] of 64 x32 with -2
