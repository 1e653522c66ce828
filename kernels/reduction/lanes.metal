// Sums of rows, one SIMD-group a row: Y[m, lane] = sum over k of X[m, k], X[M, K] row-major, Y[M, 32].
//
// The lanes of a SIMD-group read row m side by side, 32 elements a step, and each adds up its own share.
// Then five exchanges: with the lane 16 away, 8, 4, 2, 1. Every lane ends with the whole sum and stores
// it, so that Y shows what each lane knows.

int lane = thread_index_in_simdgroup;
int m = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int K = X_shape[1];

auto row = X + size_t(m) * K;
float sum = 0;
for (int k = lane; k < K; k += 32) {
    sum += float(row[k]);
}

// All 32 lanes are here, also those whose share was empty: a lane that has left has nothing to give.
for (ushort away = 16; away > 0; away /= 2) {
    sum += simd_shuffle_xor(sum, away);
}
Y[size_t(m) * 32 + lane] = T(sum);
