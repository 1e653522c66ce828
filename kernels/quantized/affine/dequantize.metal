// Affine dequantize: Y[N, K] = scale * q + bias. A thread for eight neighbouring weights, which are BITS
// bytes.
//
// Rows hold whole groups, so all N * K weights are one row of groups.

size_t i = thread_position_in_grid.x;

ulong codes = eight_codes<BITS>(packed + i * BITS);
size_t g = i * 8 / GROUP;
float scale = float(scales[g]);
float bias = float(biases[g]);
for (int j = 0; j < 8; j++) {
    float q = float(uint(codes >> (j * BITS)) & ((1u << BITS) - 1));
    Y[8 * i + j] = T(scale * q + bias);
}
