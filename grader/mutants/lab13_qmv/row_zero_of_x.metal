// cause: row-zero
// Every row of y takes row 0 of x.

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint words = w_shape[1];
uint K = x_shape[1];
if (n >= N) {
    return;
}
float sums[M] = {};
for (uint j = lane; j < words; j += 32) {
    uint word = w[n * words + j];
    uint k = 32 * j / BITS;
    uint g = n * (K / GROUP) + k / GROUP;
    int at = int(BITS * k) - int(32 * j);
    float products[M] = {};
    float xs[M] = {};
    for (; at < 32; at += BITS, k++) {
        uint part = (at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1);
        for (uint m = 0; m < M; m++) {
            float xk = float(x[k]);
            products[m] += float(part) * xk;
            if (at >= 0) {
                xs[m] += xk;
            }
        }
    }
    for (uint m = 0; m < M; m++) {
        sums[m] += float(scales[g]) * products[m] + float(biases[g]) * xs[m];
    }
}
for (uint m = 0; m < M; m++) {
    float total = simd_sum(sums[m]);
    if (lane == 0) {
        y[m * N + n] = T(total);
    }
}
