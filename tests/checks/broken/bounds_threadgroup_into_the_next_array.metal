// What lies behind one threadgroup array is another one: outside all the same.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 32
// out: y float32 32
uint i = thread_position_in_grid.x;
threadgroup float first[32];
threadgroup float second[32];
first[i] = a[i];
second[i] = -a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = first[i + 16] + second[i];  //! out-of-bounds first[32] of 32 x16
