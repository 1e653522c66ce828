// One array for two purposes, with barriers between.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
float x = t[(i + 1) % 64];
threadgroup_barrier(mem_flags::mem_threadgroup);
threadgroup uint* words = (threadgroup uint*)t;
words[63 - i] = i;
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = x * float(words[i]);
