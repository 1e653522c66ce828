// Q4_0 GEMV, step 2: lanes side by side. One SIMD-group an output, 16 lanes a block, a byte a lane.
//
// A step takes two blocks of row n: lane i byte i % 16 of block i / 16, two weights. All 16 read the scale.

uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
uint B = blocks_shape[1];
uint j = lane % 16;

float sum = 0;
for (uint b = lane / 16; b < B; b += 2) {
    auto block = blocks + (size_t(n) * B + b) * 18;
    float d = float(*(const device half*)block);
    int codes = block[2 + j];
    sum += d * ((codes & 15) - 8) * float(x[32 * b + j]);
    sum += d * ((codes >> 4) - 8) * float(x[32 * b + j + 16]);
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
