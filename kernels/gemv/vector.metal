// GEMV by vector loads: y[N] = W[N, K] * x[K]. One SIMD-group an output, four neighbouring elements a lane.
//
// SIMD-group s of a threadgroup owns y[n]. A step takes 128 elements of row n, 512 bytes (float) in one
// piece: lane i takes elements 4*i ... 4*i + 3 of them. load_four stands in four.metal.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int K = W_shape[1];

auto row = W + size_t(n) * K;
float4 sums = float4(0);
int k = 0;
for (; k + 128 <= K; k += 128) {
    sums += load_four(x + k + 4 * lane) * load_four(row + k + 4 * lane);
}
float sum = (sums.x + sums.y) + (sums.z + sums.w);
for (; k < K; k += 32) {
    if (k + lane < K) {
        sum += float(x[k + lane]) * float(row[k + lane]);
    }
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
