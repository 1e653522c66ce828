// Y[M, N]: row m of X[M, K] times the matrix of expert[m], out of E in affine groups. As parts.metal
// otherwise.
//
// The grid's second axis is m. Row n of expert e is row e * N + n of the codes, the scales and the biases.

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint m = thread_position_in_grid.y;
uint N = W_shape[1];
uint words = W_shape[2];
uint K = words * 32 / BITS;
if (n >= N) {
    return;
}

size_t row = size_t(expert[m]) * N + n;
auto codes = W + row * words;
auto row_scales = scales + row * (K / GROUP);
auto row_biases = biases + row * (K / GROUP);
auto x = X + size_t(m) * K;

float sum = 0;
for (uint j = lane; j < words; j += 32) {
    uint word = codes[j];
    uint k = 32 * j / BITS;
    uint g = k / GROUP;
    float products = 0;
    float xs = 0;
    for (int at = int(BITS * k) - int(32 * j); at < 32; at += BITS, k++) {
        float xk = float(x[k]);
        products += float((at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1)) * xk;
        xs += at < 0 ? 0 : xk;
    }
    sum += float(row_scales[g]) * products + float(row_biases[g]) * xs;
}
sum = simd_sum(sum);
if (lane == 0) {
    Y[size_t(m) * N + n] = T(sum);
}
