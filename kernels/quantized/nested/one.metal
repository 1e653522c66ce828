// Nested GEMV, a byte a lane: y[N] = x[K] * w[N, K]^T with the top R bits of each code. One
// SIMD-group an output.
//
// A step takes 32 neighbouring codes of row n, one a lane, and makes a number of each: shift, round,
// clamp, convert, scale.

int lane = thread_index_in_simdgroup;
int n = thread_position_in_grid.x / 32;
int K = codes_shape[1];

float sum = 0;
for (int k = lane; k < K; k += 32) {
    uint q = codes[size_t(n) * K + k];
    if (R < 8) {
        constexpr int CUT = R < 8 ? 8 - R : 1;
        q = min((q + (1u << (CUT - 1))) >> CUT, (1u << R) - 1);
    }
    size_t g = size_t(n) * (K / GROUP) + k / GROUP;
    float scale = float(scales[g]) * (1 << (8 - R));
    sum += float(x[k]) * (scale * float(q) + float(biases[g]));
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
