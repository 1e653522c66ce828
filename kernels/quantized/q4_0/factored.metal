// Q4_0 GEMV, step 5: the -8 and the shifts leave the inner loop. Otherwise as step 4.
//
// The sum of d * (q - 8) * x over a lane's four weights is d * (sum of q * x - 8 * sum of x), and the sum of
// x serves all rows. A mask leaves a nibble at its place in the 16 bits, worth 1, 16, 256 or 4096 times the
// code: x is divided by as much beforehand, which is exact.

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
    float eight = 8 * ((xs.x + xs.y) + (xs.z + xs.w));
    xs *= float4(1, 1.0f / 256, 1.0f / 16, 1.0f / 4096);
    for (uint r = 0; r < ROWS; r++) {
        auto block = row[r] + 9 * b;
        float d = float(as_type<half>(block[0]));
        ushort codes = block[1 + j];
        float dot = (codes & 0x000F) * xs.x - eight;
        dot += (codes & 0x0F00) * xs.y;
        dot += (codes & 0x00F0) * xs.z;
        dot += (codes & 0xF000) * xs.w;
        sum[r] += d * dot;
    }
}

for (uint r = 0; r < ROWS; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0 && n + r < N) {
        y[n + r] = T(total);
    }
}
