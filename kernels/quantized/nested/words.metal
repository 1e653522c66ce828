// Nested GEMV, four codes a lane: Y[M, N] = X[M, K] * w[N, K]^T for M up to 16, with the top R bits
// of each code.
//
// A SIMD-group owns ROWS rows of w, and M * ROWS sums in each lane. A step takes 32 neighbouring
// words of each row, 128 codes; a lane cuts the four codes of its word at once, and uses them for all
// rows of X. Each code is loaded once, each x once for ROWS rows.

int lane = thread_index_in_simdgroup;
int first = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = codes_shape[0];
int words = codes_shape[1];
int K = 4 * words;
int rows = clamp(N - first, 0, ROWS);

float sums[M][ROWS] = {};
for (int i = lane; i < words && rows > 0; i += 32) {
    float4 weight[ROWS];
    for (int r = 0; r < ROWS; r++) {
        if (r < rows) {
            size_t n = first + r;
            size_t g = n * (K / GROUP) + i / (GROUP / 4);
            float scale = float(scales[g]) * (1 << (8 - R));
            weight[r] = scale * codes_in<R>(codes[n * words + i]) + float(biases[g]);
        }
    }
    for (int m = 0; m < M; m++) {
        auto from = X + size_t(m) * K + 4 * i;
        float4 four = float4(from[0], from[1], from[2], from[3]);
        for (int r = 0; r < ROWS; r++) {
            if (r < rows) {
                sums[m][r] += dot(four, weight[r]);
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
