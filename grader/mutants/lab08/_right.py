"""A right kernel, for the mutants whose mistake is in Python, and for tests."""

SOURCE = """
uint i = thread_position_in_threadgroup.y;
uint j = thread_position_in_threadgroup.x;
uint tid = thread_index_in_threadgroup;
uint m0 = threadgroup_position_in_grid.y * BM;
uint n0 = threadgroup_position_in_grid.x * BN;
uint M = X_shape[0];
uint K = X_shape[1];
uint N = W_shape[1];

threadgroup T x_tile[BM * BK];
threadgroup T w_tile[BK * BN];

float sum = 0;
for (uint k0 = 0; k0 < K; k0 += BK) {
    for (uint e = tid; e < BM * BK; e += BM * BN) {
        uint m = m0 + e / BK;
        uint k = k0 + e % BK;
        x_tile[e] = m < M && k < K ? X[m * K + k] : T(0);
    }
    for (uint e = tid; e < BK * BN; e += BM * BN) {
        uint k = k0 + e / BN;
        uint n = n0 + e % BN;
        w_tile[e] = k < K && n < N ? W[k * N + n] : T(0);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
    for (uint k = 0; k < BK; k++) {
        sum += float(x_tile[i * BK + k]) * float(w_tile[k * BN + j]);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
if (m0 + i < M && n0 + j < N) {
    Y[(m0 + i) * N + n0 + j] = T(sum);
}
"""
