// Lanes exchange through threadgroup memory; their barrier is for device memory.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
threadgroup float t[32];
t[i] = a[i];
simdgroup_barrier(mem_flags::mem_device);
y[i] = t[(i + 1) % 32];  //! race t x32 with -2
