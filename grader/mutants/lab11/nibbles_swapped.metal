// cause: nibbles-swapped
// low and high nibbles have changed places

threadgroup ushort staged[4][288];

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
if (n >= N) {
    return;
}
auto mine = staged[simdgroup_index_in_threadgroup];
auto row = (const device ushort*)blocks + n * B * 9;
float sum = 0;
for (uint first = 0; first < B; first += 32) {
    uint here = min(32u, B - first);
    simdgroup_barrier(mem_flags::mem_threadgroup);
    for (uint i = lane; i < 9 * here; i += 32) {
        mine[i] = row[9 * first + i];
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);
    if (lane < here) {
        float d = float(as_type<half>(mine[9 * lane]));
        auto at = x + 32 * (first + lane);
        float dot = 0;
        for (uint j = 0; j < 8; j++) {
            int codes = mine[9 * lane + 1 + j];
            dot += ((codes & 15) - 8) * float(at[2 * j + 16]);
            dot += ((codes >> 8 & 15) - 8) * float(at[2 * j + 17]);
            dot += ((codes >> 4 & 15) - 8) * float(at[2 * j]);
            dot += ((codes >> 12) - 8) * float(at[2 * j + 1]);
        }
        sum += d * dot;
    }
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
