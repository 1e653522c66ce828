// Q4_K GEMV, lanes side by side: y[N] = W[N, K] * x[K], W in super-blocks of 256 along K, 144 bytes each.
//
// SIMD-group s of a threadgroup owns y[n], and all its lanes share a super-block. At step i of four, lane l
// takes byte l of the i-th 32 bytes of nibbles: element l of sub-blocks 2i and 2i + 1. Scale and minimum are
// the same in all lanes, and so are the 16 bytes that each of them reads for them.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int count = blocks_shape[1];

float sum = 0;
for (int b = 0; b < count; b++) {
    auto block = blocks + (size_t(n) * count + b) * 144;
    float d = float(*(const device half*)block);
    float dmin = float(*(const device half*)(block + 2));
    auto packed = block + 4;
    for (int i = 0; i < 4; i++) {
        int both = block[16 + i * 32 + lane];
        for (int high = 0; high < 2; high++) {
            int j = 2 * i + high;
            int scale = j < 4 ? packed[j] & 63 : (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
            int minimum = j < 4 ? packed[j + 4] & 63 : packed[j + 4] >> 4 | packed[j] >> 6 << 4;
            int q = high == 0 ? both & 15 : both >> 4;
            float weight = d * float(scale) * float(q) - dmin * float(minimum);
            sum += weight * float(x[b * 256 + j * 32 + lane]);
        }
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
