// Sums of rows, one threadgroup a row, by a tree in threadgroup memory: Y[m] = sum over k of X[m, k].
//
// Each thread puts its share into threadgroup memory. Then the lower half of the threads adds the upper
// half's shares to its own, half of those again, and so on: log2(THREADS) rounds with a barrier after
// each.

threadgroup float shares[THREADS];

int t = thread_index_in_threadgroup;
int m = threadgroup_position_in_grid.y;
int K = X_shape[1];

auto row = X + size_t(m) * K;
float sum = 0;
for (int k = t; k < K; k += THREADS) {
    sum += float(row[k]);
}
shares[t] = sum;
threadgroup_barrier(mem_flags::mem_threadgroup);

for (int half_way = THREADS / 2; half_way > 0; half_way /= 2) {
    if (t < half_way) {
        shares[t] += shares[t + half_way];
    }
    // Outside the if: every thread must come here, also those that have nothing to add.
    threadgroup_barrier(mem_flags::mem_threadgroup);
}

if (t == 0) {
    Y[m] = T(shares[0]);
}
