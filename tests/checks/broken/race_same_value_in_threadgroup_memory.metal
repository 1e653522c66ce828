// Both threads of a pair zero the element.
// grid: 64 1 1
// threadgroup: 64 1 1
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[32];
t[i / 2] = 0;  //! same-value-race t[0] of 32 x32 with 0
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[i / 2];
