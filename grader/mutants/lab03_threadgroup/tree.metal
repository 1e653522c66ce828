// cause: over-budget
// A tree over all 256 threads, with a barrier a level.
uint t = thread_index_in_threadgroup;
uint m = threadgroup_position_in_grid.y;
uint K = x_shape[1];
threadgroup float shares[256];
float sum = 0;
for (uint k = t; k < K; k += 256) {
    sum += float(x[m * K + k]);
}
shares[t] = sum;
threadgroup_barrier(mem_flags::mem_threadgroup);
for (uint width = 128; width > 0; width /= 2) {
    if (t < width) {
        shares[t] += shares[t + width];
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}
if (t == 0) {
    y[m] = T(shares[0]);
}
