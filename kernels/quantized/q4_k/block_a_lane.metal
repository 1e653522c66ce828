// Q4_K GEMV, a super-block a lane: y[N] = W[N, K] * x[K], W in super-blocks of 256 along K, 144 bytes each.
//
// SIMD-group s of a threadgroup owns y[n]. Lane i takes super-blocks i, i + 32, ... of row n, a byte at a
// time: neighbouring lanes read 144 bytes apart. A row has K / 256 super-blocks; lanes that get none wait.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int count = blocks_shape[1];

float sum = 0;
for (int b = lane; b < count; b += 32) {
    auto block = blocks + (size_t(n) * count + b) * 144;
    float d = float(*(const device half*)block);
    float dmin = float(*(const device half*)(block + 2));
    auto packed = block + 4;
    for (int j = 0; j < 8; j++) {
        int scale = j < 4 ? packed[j] & 63 : (packed[j + 4] & 15) | packed[j - 4] >> 6 << 4;
        int minimum = j < 4 ? packed[j + 4] & 63 : packed[j + 4] >> 4 | packed[j] >> 6 << 4;
        for (int i = 0; i < 32; i++) {
            int both = block[16 + j / 2 * 32 + i];
            int q = j % 2 == 0 ? both & 15 : both >> 4;
            float weight = d * float(scale) * float(q) - dmin * float(minimum);
            sum += weight * float(x[b * 256 + j * 32 + i]);
        }
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
