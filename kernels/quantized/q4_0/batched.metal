// Batched Q4_0 GEMV: Y[M, N] = X[M, K] * W[N, K]^T for a small M. Each block is loaded once for all M rows
// of X.
//
// Copies whole sectors as `staged` does. A SIMD-group owns the M * ROWS outputs of ROWS rows of W: it
// unpacks four weights of each row, once for all rows of X, and every element of X that it loads serves ROWS
// of them. So the -8 and the scale stay with the weight here: taken out, they would cost each row of X
// instead. The sums must be registers, so M and ROWS are template parameters.

threadgroup ushort staged[SIMDGROUPS][ROWS][32 * 9];

uint lane = thread_index_in_simdgroup;
uint n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
uint N = blocks_shape[0];
uint B = blocks_shape[1];
uint j = lane % 8;
auto mine = staged[simdgroup_index_in_threadgroup];

const device ushort* row[ROWS];
for (uint r = 0; r < ROWS; r++) {
    row[r] = (const device ushort*)blocks + size_t(min(n + r, N - 1)) * B * 9;
}
float sum[M][ROWS] = {};
for (uint first = 0; first < B; first += 32) {
    uint here = min(B - first, 32u);
    simdgroup_barrier(mem_flags::mem_threadgroup);  // all are done with the words before
    if (here == 32) {
        for (uint r = 0; r < ROWS; r++) {
            for (uint i = 0; i < 9; i++) {
                mine[r][32 * i + lane] = row[r][9 * first + 32 * i + lane];
            }
        }
    } else {
        for (uint r = 0; r < ROWS; r++) {
            for (uint word = lane; word < 9 * here; word += 32) {
                mine[r][word] = row[r][9 * first + word];
            }
        }
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);
    for (uint b = lane / 8; b < here; b += 4) {
        float4 weight[ROWS];
        for (uint r = 0; r < ROWS; r++) {
            float d = float(as_type<half>(mine[r][9 * b]));
            ushort four = mine[r][9 * b + 1 + j];
            float4 codes = float4(four & 0x000F, four & 0x0F00, four & 0x00F0, four & 0xF000);
            weight[r] = d * (codes * float4(1, 1.0f / 256, 1.0f / 16, 1.0f / 4096) - 8);
        }
        for (uint m = 0; m < M; m++) {
            auto at = X + size_t(m) * B * 32 + 32 * (first + b) + 2 * j;
            float4 xs = float4(at[0], at[1], at[16], at[17]);
            for (uint r = 0; r < ROWS; r++) {
                sum[m][r] += dot(weight[r], xs);
            }
        }
    }
}

for (uint m = 0; m < M; m++) {
    for (uint r = 0; r < ROWS; r++) {
        float total = simd_sum(sum[m][r]);
        if (lane == 0 && n + r < N) {
            Y[size_t(m) * N + n + r] = T(total);
        }
    }
}
