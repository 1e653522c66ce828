// Threadgroup memory used with two sizes.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 128
// out: y float32 32
uint i = thread_position_in_grid.x;
threadgroup float4 t[32];
t[i] = ((const device float4*)a)[i];
threadgroup_barrier(mem_flags::mem_threadgroup);
const threadgroup float* flat = (const threadgroup float*)t;
y[i] = flat[i] + flat[127 - i];
