// cause: k-tail
// Steps of 32 products, and nothing for what is left over.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = w_shape[0];
uint K = w_shape[1];
if (n >= N) {
    return;
}
float sum = 0;
for (uint k = 0; k < K / 32 * 32; k += 32) {
    sum += float(w[n * K + k + lane]) * float(x[k + lane]);
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
