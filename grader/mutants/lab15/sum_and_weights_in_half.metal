// cause: half-products
// Weights and sum are kept in the type of x.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = planes_shape[1];
uint words = planes_shape[2];
uint groups = scales_shape[1];
uint group = 32 * words / groups;
if (n >= N) {
    return;
}
T sum = 0;
for (uint i = lane; i < words; i += 32) {
    uint held[P];
    for (uint p = 0; p < P; p++) {
        held[p] = planes[(p * N + n) * words + i];
    }
    uint g = n * groups + 32 * i / group;
    float scale = float(scales[g]) * (1 << (8 - R));
    float bias = float(biases[g]);
    for (uint j = 0; j < 32; j++) {
        uint q = 0;
        for (uint p = 0; p < P; p++) {
            q = 2 * q + (held[p] >> j & 1);
        }
        if (P > R) {
            q = min((q + 1) / 2, (1u << R) - 1);
        }
        sum += T(scale * float(q) + bias) * x[32 * i + j];
    }
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
