// cause: writes-past-end
// SIMD-groups behind the last row work on.
uint lane = thread_index_in_simdgroup;
uint m = thread_position_in_grid.x / 32;
uint M = x_shape[0];
uint K = x_shape[1];
float sum = 0;
for (uint k = lane; k < K; k += 32) {
    sum += float(x[m * K + k]);
}
for (ushort away = 16; away > 0; away /= 2) {
    sum += simd_shuffle_xor(sum, away);
}
y[m * 32 + lane] = T(sum);
