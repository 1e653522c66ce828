// The second 8×8 piece of a matrix of 12 rows.
// grid: 32 1 1
// threadgroup: 32 1 1
// in: a float32 12,8
// out: y float32 8,8
simdgroup_matrix<float, 8, 8> first, second, sum(0.0f);
simdgroup_load(first, a, 8);
simdgroup_load(second, a + 64, 8);  //! out-of-bounds a[96] of 96 x16
simdgroup_multiply_accumulate(sum, first, second, sum);
simdgroup_store(sum, y, 8);
