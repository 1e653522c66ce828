// Reductions and ballots act on the active lanes, whichever they are.
// grid: 40 1 1
// threadgroup: 40 1 1
// in: a float32 40
// out: y float32 40
uint i = thread_position_in_grid.x;
float x = a[i];
if (x > 0) {
    x = simd_sum(x) + simd_prefix_exclusive_sum(x) + float(simd_any(x > 1));
}
y[i] = simd_max(x) - x;
