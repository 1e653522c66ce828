// Y[M, N] = X[M, K] · W[K, N] by tiles in local memory: kernels/gemm/tiled.metal in OpenCL C.
__kernel void tiled(
    __global const float* X, __global const float* W, __global float* Y, int M, int N, int K) {
    int j = get_local_id(0);
    int i = get_local_id(1);
    int m0 = get_group_id(1) * BM;
    int n0 = get_group_id(0) * BN;

    __local float x_tile[BM][BK];
    __local float w_tile[BK][BN];

    float sum = 0;
    for (int k0 = 0; k0 < K; k0 += BK) {
        for (int c = j; c < BK; c += BN) {
            bool inside = m0 + i < M && k0 + c < K;
            x_tile[i][c] = inside ? X[(size_t)(m0 + i) * K + k0 + c] : 0.0f;
        }
        for (int r = i; r < BK; r += BM) {
            bool inside = k0 + r < K && n0 + j < N;
            w_tile[r][j] = inside ? W[(size_t)(k0 + r) * N + n0 + j] : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);

        for (int k = 0; k < BK; k++) {
            sum += x_tile[i][k] * w_tile[k][j];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }

    if (m0 + i < M && n0 + j < N) {
        Y[(size_t)(m0 + i) * N + n0 + j] = sum;
    }
}
