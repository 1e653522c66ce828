// Each lane goes round as often as its number says.
// grid: 32 1 1
// threadgroup: 32 1 1
// out: y float32 32
uint i = thread_position_in_grid.x;
float sum = 0;
for (uint k = 0; k < i; ++k) {
    threadgroup_barrier(mem_flags::mem_threadgroup);  //! divergent-barrier
    sum += 1;
}
y[i] = sum;
