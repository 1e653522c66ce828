// y[N] = x[K] · W[K, N], one work-item an output: kernels/gemv/naive_columns.metal in OpenCL C.
__kernel void naive_columns(__global const float* x, __global const float* W, __global float* y, int N, int K) {
    int n = get_global_id(0);
    __global const float* column = W + n;
    float sum = 0;
    for (int k = 0; k < K; k++) {
        sum += x[k] * column[(size_t)k * N];
    }
    y[n] = sum;
}
