// Two buffers in turn: one barrier a round is enough.
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
    if (round < 3) {
        t[1 - round % 2][i] = a[64 * (round + 1) + i];
    }
    sum += t[round % 2][63 - i];
}
y[i] = sum;
