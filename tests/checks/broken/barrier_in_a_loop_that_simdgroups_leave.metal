// Whole SIMD-groups go round differently often.
// grid: 96 1 1
// threadgroup: 96 1 1
// out: y float32 96
uint i = thread_position_in_grid.x;
float sum = 0;
for (uint k = 0; k <= simdgroup_index_in_threadgroup; ++k) {
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier
    sum += 1;
}
y[i] = sum;
