// Everyone takes the neighbour's element and puts it into its own place.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 64
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[65];
t[i] = a[i];
if (i == 0) {
    t[64] = 0;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
t[i] = t[i + 1];  //! race t with 0
threadgroup_barrier(mem_flags::mem_threadgroup);
y[i] = t[i];
