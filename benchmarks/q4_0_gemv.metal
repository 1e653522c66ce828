// Q4_0 GEMV: y[N] = W[N, K] . x[K], W in blocks of 32 along K: half d, then 16 bytes; byte j holds element j in its
// low nibble and element j + 16 in its high one, each 8 too large.
//
// A SIMD-group owns one output. Two blocks a step: lanes 0 to 15 take one byte each of the first, lanes 16 to 31 of the
// second, so that neighbours read neighbouring bytes and neighbouring x.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int K = x_shape[0];
int blocks = K / 32;

const device uchar* row = W + size_t(n) * blocks * 18;
float sum = 0;
for (int b = 0; b < blocks; b += 2) {
    int mine = b + lane / 16;
    if (mine < blocks) {
        const device uchar* block = row + mine * 18;
        float d = *(const device half*)block;
        uchar q = block[2 + lane % 16];
        int k = mine * 32 + lane % 16;
        sum += d * (x[k] * (float(q & 15) - 8.0f) + x[k + 16] * (float(q >> 4) - 8.0f));
    }
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = sum;
}
