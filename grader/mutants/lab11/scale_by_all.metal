// cause: over-budget
// right, and eight lanes that share a block load its scale each

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
uint j = lane % 8;
if (n >= N) {
    return;
}
float sum = 0;
for (uint b = lane / 8; b < B; b += 4) {
    auto block = (const device ushort*)(blocks + (n * B + b) * 18);
    int codes = block[1 + j];
    auto at = x + 32 * b + 2 * j;
    float dot = ((codes & 15) - 8) * float(at[0]);
    dot += ((codes >> 8 & 15) - 8) * float(at[1]);
    dot += ((codes >> 4 & 15) - 8) * float(at[16]);
    dot += ((codes >> 12) - 8) * float(at[17]);
    sum += float(as_type<half>(block[0])) * dot;
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
