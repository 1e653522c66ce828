// cause: over-budget
// Each lane fetches the word of its code, the scale and the bias, again for each row of x.

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = x_shape[1];
if (n >= N) {
    return;
}
for (uint m = 0; m < M; m++) {
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        uint at = k * BITS;
        auto row = w + n * (K * BITS / 32);
        uint q = row[at / 32] >> (at % 32);
        if (at % 32 + BITS > 32) {
            q |= row[at / 32 + 1] << (32 - at % 32);
        }
        uint g = (n * K + k) / GROUP;
        float weight = float(scales[g]) * float(q & ((1 << BITS) - 1)) + float(biases[g]);
        sum += weight * float(x[m * K + k]);
    }
    sum = simd_sum(sum);
    if (lane == 0) {
        y[m * N + n] = T(sum);
    }
}
