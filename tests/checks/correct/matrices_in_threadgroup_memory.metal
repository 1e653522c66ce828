// 8×8 products through a tile that two SIMD-groups fill and read.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 16,8
// in: b float32 8,8
// out: y float32 16,8
uint i = thread_position_in_grid.x, group = simdgroup_index_in_threadgroup;
threadgroup float t[64];
t[63 - i] = b[63 - i];
threadgroup_barrier(mem_flags::mem_threadgroup);
simdgroup_matrix<float, 8, 8> A, B, C(0.0f);
simdgroup_load(A, a + 64 * group, 8);
simdgroup_load(B, t, 8);
simdgroup_multiply_accumulate(C, A, B, C);
simdgroup_store(C, y + 64 * group, 8);
