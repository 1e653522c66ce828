// Sums of rows, one threadgroup a row: Y[m] = sum over k of X[m, k], X[M, K] row-major.
//
// The threads read row m side by side, and each adds up its own share. simd_sum adds the shares of a
// SIMD-group; lane 0 puts that into threadgroup memory. After one barrier the first SIMD-group adds up
// what is there.

threadgroup float partial[SIMDGROUPS];

int lane = thread_index_in_simdgroup;
int simdgroup = simdgroup_index_in_threadgroup;
int thread_in_row = thread_index_in_threadgroup;
int m = threadgroup_position_in_grid.y;
int K = X_shape[1];

auto row = X + size_t(m) * K;
float sum = 0;
for (int k = thread_in_row; k < K; k += 32 * SIMDGROUPS) {
    sum += float(row[k]);
}

sum = simd_sum(sum);
if (lane == 0) {
    partial[simdgroup] = sum;
}
// What one SIMD-group stored, another reads below: all must have stored first.
threadgroup_barrier(mem_flags::mem_threadgroup);

if (simdgroup == 0) {
    float total = simd_sum(lane < SIMDGROUPS ? partial[lane] : 0.0f);
    if (lane == 0) {
        Y[m] = T(total);
    }
}
