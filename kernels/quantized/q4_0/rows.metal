// Q4_0 GEMV, step 4: ROWS outputs a SIMD-group, which share what is loaded of x. Otherwise as step 3.
//
// Where N is no multiple of ROWS, the last SIMD-group takes row N - 1 for those that are not there: no test
// in the loop. It stores each row once.

uint lane = thread_index_in_simdgroup;
uint n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
uint j = lane % 8;

const device ushort* row[ROWS];
for (uint r = 0; r < ROWS; r++) {
    row[r] = (const device ushort*)blocks + size_t(min(n + r, N - 1)) * B * 9;
}
float sum[ROWS] = {};
for (uint b = lane / 8; b < B; b += 4) {
    auto at = x + 32 * b + 2 * j;
    float4 xs = float4(at[0], at[1], at[16], at[17]);
    for (uint r = 0; r < ROWS; r++) {
        auto block = row[r] + 9 * b;
        float d = float(as_type<half>(block[0]));
        int codes = block[1 + j];
        float dot = ((codes & 15) - 8) * xs.x;
        dot += ((codes >> 8 & 15) - 8) * xs.y;
        dot += ((codes >> 4 & 15) - 8) * xs.z;
        dot += ((codes >> 12) - 8) * xs.w;
        sum[r] += d * dot;
    }
}

for (uint r = 0; r < ROWS; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0 && n + r < N) {
        y[n + r] = T(total);
    }
}
