// Two SIMD-groups store an 8×8 tile each, half on top of each other.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 8,16
// out: y float32 8,12
uint group = simdgroup_index_in_threadgroup;
simdgroup_matrix<float, 8, 8> m;
simdgroup_load(m, a + group * 8, 16);
simdgroup_store(m, y + group * 4, 12);  //! race y x16 with 0
