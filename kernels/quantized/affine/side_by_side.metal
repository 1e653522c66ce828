// Affine GEMV, step 2: lanes side by side. One SIMD-group an output, one pack a lane, a byte a load.
//
// A pack is the fewest CODES that end with a byte: PACK bytes, 1 of them for widths of 2, 4 and 8 bits, 3
// for 3 and 6, 5 for 5. Lane i takes packs i, i + 32, ... of row n. All lanes of a group read its scale
// and its bias.

uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
uint bytes = packed_shape[1];
uint G = bytes * 8 / (BITS * GROUP);  // groups of a row

float sum = 0;
for (uint p = lane; p < bytes / PACK; p += 32) {
    auto pack = packed + size_t(n) * bytes + p * PACK;
    ulong codes = 0;
    for (uint i = 0; i < PACK; i++) {
        codes |= ulong(pack[i]) << (8 * i);
    }
    size_t g = size_t(n) * G + p * CODES / GROUP;
    float scale = float(scales[g]);
    float bias = float(biases[g]);
    for (uint j = 0; j < CODES; j++) {
        uint q = uint(codes >> (j * BITS)) & ((1u << BITS) - 1);
        sum += (scale * float(q) + bias) * float(x[p * CODES + j]);
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
