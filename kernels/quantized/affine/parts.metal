// Y[M, N] = X[M, K] * W[N, K]^T for a small M and affine groups of any width: a SIMD-group a row, a word a
// lane.
//
// Lane i takes the row's words i, i + 32, ...: each word of codes once, lanes side by side. A code that
// lies in two words is the sum of its two parts, each at its place in the code, and their lanes add them
// to the row's sum apart. A word has codes of one group only, so a scale and a bias serve all of it; the
// bias needs the sum of x, to which a cut code adds its x once, where it begins.

uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = W_shape[0];
uint words = W_shape[1];
uint K = words * 32 / BITS;
if (n >= N) {
    return;
}

auto row = W + size_t(n) * words;
auto row_scales = scales + size_t(n) * (K / GROUP);
auto row_biases = biases + size_t(n) * (K / GROUP);

float sum[M] = {};
for (uint j = lane; j < words; j += 32) {
    uint word = row[j];
    uint k = 32 * j / BITS;
    uint g = k / GROUP;
    float products[M] = {};
    float xs[M] = {};
    for (int at = int(BITS * k) - int(32 * j); at < 32; at += BITS, k++) {
        float part = float((at < 0 ? word << -at : word >> at) & ((1 << BITS) - 1));
        for (uint m = 0; m < M; m++) {
            float xk = float(X[size_t(m) * K + k]);
            products[m] += part * xk;
            xs[m] += at < 0 ? 0 : xk;
        }
    }
    float s = float(row_scales[g]);
    float b = float(row_biases[g]);
    for (uint m = 0; m < M; m++) {
        sum[m] += s * products[m] + b * xs[m];
    }
}
for (uint m = 0; m < M; m++) {
    float total = simd_sum(sum[m]);
    if (lane == 0) {
        Y[size_t(m) * N + n] = T(total);
    }
}
