// Nested GEMV by planes: Y[M, N] = X[M, K] * w[N, K]^T for M up to 16. Only the P planes that R bits
// need exist.
//
// A SIMD-group owns ROWS rows of w, and M * ROWS sums in each lane. A lane takes one word of each
// plane, which is 32 neighbouring weights of a row, and all of them share a scale. Shifted by `part`
// and masked, a word gives the same bit of four weights, a byte each: P words make four codes, eight
// times.

int lane = thread_index_in_simdgroup;
int first = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = planes_shape[1];
int words = planes_shape[2];
int K = 32 * words;
int rows = clamp(N - first, 0, ROWS);

float sums[M][ROWS] = {};
for (int i = lane; i < words && rows > 0; i += 32) {
    uint held[ROWS][P];
    float scale[ROWS];
    float bias[ROWS];
    for (int r = 0; r < ROWS; r++) {
        if (r < rows) {
            size_t n = first + r;
            size_t g = n * (K / GROUP) + i / (GROUP / 32);
            scale[r] = float(scales[g]) * (1 << (8 - R));
            bias[r] = float(biases[g]);
            for (int p = 0; p < P; p++) {
                held[r][p] = planes[(p * size_t(N) + n) * words + i];
            }
        }
    }
    for (int part = 0; part < 8; part++) {
        float4 four[M];
        for (int m = 0; m < M; m++) {
            auto from = X + size_t(m) * K + 32 * i + part;
            four[m] = float4(from[0], from[8], from[16], from[24]);
        }
        for (int r = 0; r < ROWS; r++) {
            if (r < rows) {
                float4 weight = scale[r] * codes_in<R, P>(held[r], part) + bias[r];
                for (int m = 0; m < M; m++) {
                    sums[m][r] += dot(four[m], weight);
                }
            }
        }
    }
}
for (int m = 0; m < M; m++) {
    for (int r = 0; r < ROWS; r++) {
        float total = simd_sum(sums[m][r]);
        if (lane == 0 && r < rows) {
            Y[size_t(m) * N + first + r] = T(total);
        }
    }
}
