// cause: over-budget
// Right, from tiles, and each product is made by a lane.
uint tid = thread_index_in_threadgroup;
uint group = simdgroup_index_in_threadgroup;
uint m0 = threadgroup_position_in_grid.y * 32;
uint n0 = threadgroup_position_in_grid.x * 32;
uint fm = group / 2 * 16, fn = group % 2 * 16;
uint M = X_shape[0], K = X_shape[1], N = W_shape[1];

constexpr uint LD = 32 + 16 / sizeof(T);
threadgroup T x_tile[32 * LD];
threadgroup T w_tile[32 * LD];

float sums[8] = {};
for (uint k0 = 0; k0 < K; k0 += 32) {
    for (uint e = tid; e < 32 * 32; e += 128) {
        uint r = e / 32, c = e % 32;
        bool x_inside = m0 + r < M && k0 + c < K;
        bool w_inside = k0 + r < K && n0 + c < N;
        x_tile[r * LD + c] = x_inside ? X[(m0 + r) * K + k0 + c] : T(0);
        w_tile[r * LD + c] = w_inside ? W[(k0 + r) * N + n0 + c] : T(0);
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);

    for (uint s = 0; s < 8; s++) {
        uint e = tid + 128 * s;
        for (uint k = 0; k < 32; k++) {
            sums[s] += float(x_tile[e / 32 * LD + k]) * float(w_tile[k * LD + e % 32]);
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

for (uint s = 0; s < 8; s++) {
    uint e = tid + 128 * s;
    uint m = m0 + e / 32, n = n0 + e % 32;
    if (m < M && n < N) {
        Y[m * N + n] = T(sums[s]);
    }
}
