// Q4_0 GEMV, step 1: y[N] = W[N, K] * x[K]. One SIMD-group an output, one block a lane, a byte a load.
//
// Lane i takes blocks i, i + 32, ... of row n, each alone: neighbouring lanes are 18 bytes apart. Byte j of a
// block's 16 holds element j in its low nibble and element j + 16 in its high one.

uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
uint B = blocks_shape[1];  // blocks of a row

float sum = 0;
for (uint b = lane; b < B; b += 32) {
    auto block = blocks + (size_t(n) * B + b) * 18;
    float d = float(as_type<half>(ushort(block[0] | block[1] << 8)));
    for (uint j = 0; j < 16; j++) {
        int codes = block[2 + j];
        sum += d * ((codes & 15) - 8) * float(x[32 * b + j]);
        sum += d * ((codes >> 4) - 8) * float(x[32 * b + j + 16]);
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
