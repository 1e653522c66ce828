// Affine GEMV, step 3: wide loads. One SIMD-group an output, C codes a lane in one load (see codes.metal).
//
// A step takes 32 * C weights of row n. The row holds whole groups of at least 32, so a lane's C weights
// are all inside it or all past its end, and in one group.

constexpr uint C = codes_of<BITS>();

uint lane = thread_index_in_simdgroup;
uint n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
uint bytes = packed_shape[1];
uint K = bytes * 8 / BITS;

auto row = packed + size_t(n) * bytes;
float sum = 0;
for (uint k = 0; k < K; k += 32 * C) {
    uint codes = share_of<BITS, C>(row + k / 8 * BITS, lane, (K - k) / 32 * BITS);
    uint at = k + C * lane;
    if (at < K) {
        size_t g = size_t(n) * (K / GROUP) + at / GROUP;
        float scale = float(scales[g]);
        float bias = float(biases[g]);
        for (uint j = 0; j < C; j++) {
            uint q = codes >> (j * BITS) & ((1u << BITS) - 1);
            sum += (scale * float(q) + bias) * float(x[at + j]);
        }
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
