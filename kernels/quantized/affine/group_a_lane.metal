// Affine GEMV, step 1: y[N] = W[N, K] * x[K]. One SIMD-group an output, one group a lane, a code at a time.
//
// Lane i takes groups i, i + 32, ... of row n, each alone: neighbouring lanes are GROUP * BITS / 8 bytes
// apart. A code begins at any bit of a byte, and may end in the next one.

uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
uint bytes = packed_shape[1];
uint G = bytes * 8 / (BITS * GROUP);  // groups of a row

float sum = 0;
for (uint g = lane; g < G; g += 32) {
    auto codes = packed + size_t(n) * bytes + g * (GROUP * BITS / 8);
    float scale = float(scales[size_t(n) * G + g]);
    float bias = float(biases[size_t(n) * G + g]);
    for (uint i = 0; i < GROUP; i++) {
        uint byte = i * BITS / 8;
        uint shift = i * BITS % 8;
        uint q = codes[byte] >> shift;
        if (shift + BITS > 8) {
            q |= codes[byte + 1] << (8 - shift);
        }
        q &= (1u << BITS) - 1;
        sum += (scale * float(q) + bias) * float(x[g * GROUP + i]);
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
