// y[N] = W[N, K] · x[K], one row of W an output, written in the ways an OpenCL programmer would try.

// One work-item a row.
__kernel void row_a_work_item(__global const float* x, __global const float* W, __global float* y, int N, int K) {
    int n = get_global_id(0);
    __global const float* row = W + (size_t)n * K;
    float sum = 0;
    for (int k = 0; k < K; k++) {
        sum += x[k] * row[k];
    }
    y[n] = sum;
}

// One work-item a row, sixteen elements a load. K is a multiple of 16.
__kernel void row_a_work_item_by_16(
    __global const float* x, __global const float* W, __global float* y, int N, int K) {
    int n = get_global_id(0);
    __global const float* row = W + (size_t)n * K;
    float16 sums = 0;
    for (int k = 0; k < K; k += 16) {
        sums += vload16(0, x + k) * vload16(0, row + k);
    }
    float8 eight = sums.lo + sums.hi;
    float4 four = eight.lo + eight.hi;
    y[n] = (four.x + four.y) + (four.z + four.w);
}

// One work-group a row, work-items side by side, their sums added by a tree in local memory.
__kernel void row_a_work_group(__global const float* x, __global const float* W, __global float* y, int N, int K) {
    __local float shares[SIZE];
    int n = get_group_id(0);
    int i = get_local_id(0);
    __global const float* row = W + (size_t)n * K;
    float sum = 0;
    for (int k = i; k < K; k += SIZE) {
        sum += x[k] * row[k];
    }
    shares[i] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int half_ = SIZE / 2; half_ > 0; half_ /= 2) {
        if (i < half_) {
            shares[i] += shares[i + half_];
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    if (i == 0) {
        y[n] = shares[0];
    }
}

// The same, the sums added by the first work-item.
__kernel void row_a_work_group_one_adds(
    __global const float* x, __global const float* W, __global float* y, int N, int K) {
    __local float shares[SIZE];
    int n = get_group_id(0);
    int i = get_local_id(0);
    __global const float* row = W + (size_t)n * K;
    float sum = 0;
    for (int k = 0; k < K; k += SIZE) {
        sum += x[k + i] * row[k + i];
    }
    shares[i] = sum;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (i == 0) {
        float total = 0;
        for (int l = 0; l < SIZE; l++) {
            total += shares[l];
        }
        y[n] = total;
    }
}
