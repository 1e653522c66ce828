// Q4_0 GEMV, step 6: whole sectors. Otherwise as step 5.
//
// A scale lies before its 16 bytes of codes, so whoever loads the two apart touches every sector twice. Here
// a SIMD-group copies 32 blocks of each of its rows, 576 bytes in one piece, into threadgroup memory: 9
// loads of 32 neighbouring words, each word once. The arithmetic then takes scales and codes from there,
// four blocks at a time. SIMD-groups share nothing, so a barrier for the SIMD-group is enough.

threadgroup ushort staged[SIMDGROUPS][ROWS][32 * 9];

uint lane = thread_index_in_simdgroup;
uint n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
uint j = lane % 8;
auto mine = staged[simdgroup_index_in_threadgroup];

const device ushort* row[ROWS];
for (uint r = 0; r < ROWS; r++) {
    row[r] = (const device ushort*)blocks + size_t(min(n + r, N - 1)) * B * 9;
}
float sum[ROWS] = {};
for (uint first = 0; first < B; first += 32) {
    uint here = min(B - first, 32u);
    simdgroup_barrier(mem_flags::mem_threadgroup);  // all are done with the words before
    if (here == 32) {
        for (uint r = 0; r < ROWS; r++) {
            for (uint i = 0; i < 9; i++) {
                mine[r][32 * i + lane] = row[r][9 * first + 32 * i + lane];
            }
        }
    } else {
        for (uint r = 0; r < ROWS; r++) {
            for (uint word = lane; word < 9 * here; word += 32) {
                mine[r][word] = row[r][9 * first + word];
            }
        }
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);
    for (uint b = lane / 8; b < here; b += 4) {
        auto at = x + 32 * (first + b) + 2 * j;
        float4 xs = float4(at[0], at[1], at[16], at[17]);
        float eight = 8 * ((xs.x + xs.y) + (xs.z + xs.w));
        xs *= float4(1, 1.0f / 256, 1.0f / 16, 1.0f / 4096);
        for (uint r = 0; r < ROWS; r++) {
            float d = float(as_type<half>(mine[r][9 * b]));
            ushort codes = mine[r][9 * b + 1 + j];
            float dot = (codes & 0x000F) * xs.x - eight;
            dot += (codes & 0x0F00) * xs.y;
            dot += (codes & 0x00F0) * xs.z;
            dot += (codes & 0xF000) * xs.w;
            sum[r] += d * dot;
        }
    }
}

for (uint r = 0; r < ROWS; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0 && n + r < N) {
        y[n + r] = T(total);
    }
}
