// Affine GEMV, step 4: scale and bias out of the inner loop. Otherwise as step 3.
//
// Over a lane's weights, which share a group, the sum of (scale * q + bias) * x is scale * (sum of q * x)
// + bias * (sum of x): two multiplications for C weights. Nor is a code shifted: left where it lies in the
// share, it is q * 2^(BITS * j), and the x that it meets is divided by that power of two, which rounds
// nothing. (Only an x below 2^-98 would fall under the smallest normal float.)

constexpr uint C = codes_of<BITS>();
constexpr uint MASK = (1u << BITS) - 1;

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
        float xs[C];
        load_elements<T, C>(x + at, xs);
        float dot = 0;
        float all = 0;
        #pragma clang loop unroll(full)
        for (uint j = 0; j < C; j++) {
            dot += float(codes & MASK << (BITS * j)) * (xs[j] * (1.0f / (1u << (BITS * j))));
            all += xs[j];
        }
        size_t g = size_t(n) * (K / GROUP) + at / GROUP;
        sum += float(scales[g]) * dot + float(biases[g]) * all;
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
