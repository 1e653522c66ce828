// A SIMD-group barrier where SIMD-groups exchange.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
simdgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[i ^ 1] + (i >= 32 ? t[i - 32] : 0.0f);  //! race t[0] of 64 x32 with -2
