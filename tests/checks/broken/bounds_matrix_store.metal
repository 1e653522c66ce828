// A row length of 9 in a matrix whose rows are 8 long.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 8,8
// out: y float32 8,8
// finds: unwritten-output y[8] of 64 x8
simdgroup_matrix<float, 8, 8> m;
simdgroup_load(m, a, 8);
simdgroup_store(m, y, 9);  //! out-of-bounds y[64] of 64 x4
