// Q4_0 GEMV, step 3: 16-bit loads. One SIMD-group an output, eight lanes a block, four weights a load.
//
// Blocks begin at even places only, so 16 bits are the widest load that always fits. A step takes four
// blocks: lane i bytes 2 * j and 2 * j + 1 of block i / 8, with j = i % 8.

uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
uint B = blocks_shape[1];
uint j = lane % 8;

float sum = 0;
for (uint b = lane / 8; b < B; b += 4) {
    auto block = (const device ushort*)(blocks + (size_t(n) * B + b) * 18);
    float d = float(as_type<half>(block[0]));
    int codes = block[1 + j];
    auto at = x + 32 * b + 2 * j;
    float dot = ((codes & 15) - 8) * float(at[0]);
    dot += ((codes >> 8 & 15) - 8) * float(at[1]);
    dot += ((codes >> 4 & 15) - 8) * float(at[16]);
    dot += ((codes >> 12) - 8) * float(at[17]);
    sum += d * dot;
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
