// A tile of 8×8 of which 7 rows were filled.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 8,8
// out: y float32 8,8
uint i = thread_position_in_grid.x;
threadgroup float t[64];
t[i] = a[i];
if (i < 24) {
    t[32 + i] = a[32 + i];
}
simdgroup_barrier(mem_flags::mem_threadgroup);
simdgroup_matrix<float, 8, 8> m;
simdgroup_load(m, t, 8);  //! uninitialised t x4
simdgroup_store(m, y, 8);
