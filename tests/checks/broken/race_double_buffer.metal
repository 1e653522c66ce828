// Two buffers in turn, and the wrong one is filled.
// grid: 64 1 1
// threadgroup: 64 1 1
// in: a float32 256
// out: y float32 64
uint i = thread_position_in_grid.x;
threadgroup float t[2][64];
float sum = 0;
t[0][i] = a[i];
for (uint round = 0; round < 4; ++round) {
    threadgroup_barrier(mem_flags::mem_threadgroup);
    sum += t[round % 2][63 - i];
    if (round < 3) {
        t[round % 2][i] = a[64 * (round + 1) + i];  //! race t with -2
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    t[1 - round % 2][i] = t[round % 2][i];
}
y[i] = sum;
