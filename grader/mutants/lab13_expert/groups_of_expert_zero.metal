// cause: groups-of-expert-zero
// The scales and biases have no offset.

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint m = thread_position_in_grid.y;
uint N = w_shape[1];
uint words = w_shape[2];
uint K = x_shape[1];
if (n >= N) {
    return;
}
size_t row = size_t(expert[m]) * N + n;
float sum = 0;
for (uint j = lane; j < words; j += 32) {
    uint word = w[row * words + j];
    uint k = 32 * j / BITS;
    size_t g = n * (K / GROUP) + k / GROUP;
    int at = int(BITS * k) - int(32 * j);
    float products = 0;
    float xs = 0;
    for (; at < 32; at += BITS, k++) {
        uint part = (at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1);
        float xk = float(x[m * K + k]);
        products += float(part) * xk;
        if (at >= 0) {
            xs += xk;
        }
    }
    sum += float(scales[g]) * products + float(biases[g]) * xs;
}
sum = simd_sum(sum);
if (lane == 0) {
    y[m * N + n] = T(sum);
}
