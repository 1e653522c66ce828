// cause: over-budget
// Takes the lanes' sums one after the other.
uint lane = thread_index_in_simdgroup;
uint m = thread_position_in_grid.x / 32;
uint M = x_shape[0];
uint K = x_shape[1];
if (m >= M) {
    return;
}
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(x[m * K + k]);
}
float own = sum;
sum = 0;
for (ushort other = 0; other < 32; other++) {
    sum += simd_broadcast(own, other);
}
y[m * 32 + lane] = T(sum);
