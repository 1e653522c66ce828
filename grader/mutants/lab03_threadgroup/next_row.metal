// cause: writes-past-end
// Stores each sum one place too far.
uint t = thread_index_in_threadgroup;
uint lane = thread_index_in_simdgroup;
uint simdgroup = simdgroup_index_in_threadgroup;
uint m = threadgroup_position_in_grid.y;
uint K = x_shape[1];
threadgroup float partial[8];
float sum = 0;
for (uint k = t; k < K; k += 256) {
    sum += float(x[m * K + k]);
}
sum = simd_sum(sum);
if (lane == 0) {
    partial[simdgroup] = sum;
}
threadgroup_barrier(mem_flags::mem_threadgroup);
if (simdgroup == 0) {
    float total = simd_sum(lane < 8 ? partial[lane] : 0.0f);
    if (lane == 0) {
        y[m + 1] = T(total);
    }
}
