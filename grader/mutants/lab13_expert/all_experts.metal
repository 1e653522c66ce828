// cause: over-budget
// All experts are computed, and one is kept.

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint m = thread_position_in_grid.y;
uint E = w_shape[0];
uint N = w_shape[1];
uint K = x_shape[1];
if (n >= N) {
    return;
}
float mine = 0;
for (uint e = 0; e < E; e++) {
    auto row = w + (e * N + n) * (K * BITS / 32);
    float sum = 0;
    for (uint k = lane; k < K; k += 32) {
        uint at = k * BITS;
        uint q = row[at / 32] >> (at % 32);
        if (at % 32 + BITS > 32) {
            q |= row[at / 32 + 1] << (32 - at % 32);
        }
        uint g = ((e * N + n) * K + k) / GROUP;
        float weight = float(scales[g]) * float(q & ((1 << BITS) - 1)) + float(biases[g]);
        sum += weight * float(x[m * K + k]);
    }
    sum = simd_sum(sum);
    if (e == expert[m]) {
        mine = sum;
    }
}
if (lane == 0) {
    y[m * N + n] = T(mine);
}
