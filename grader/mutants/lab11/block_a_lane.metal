// cause: over-budget
// right, and every load of a byte touches 18 sectors

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint b = lane; b < B; b += 32) {
    auto block = blocks + (n * B + b) * 18;
    float d = float(as_type<half>(ushort(block[0] | block[1] << 8)));
    for (uint j = 0; j < 16; j++) {
        int codes = block[2 + j];
        sum += d * ((codes & 15) - 8) * float(x[32 * b + j]);
        sum += d * ((codes >> 4) - 8) * float(x[32 * b + j + 16]);
    }
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
