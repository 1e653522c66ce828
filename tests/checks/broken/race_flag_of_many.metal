// Everyone who finds something says so, in the same words: the mild kind.
// grid: 64 1 1
// threadgroup: 32 1 1
// in: a float32 64 = np.arange(64) - 9.5
// out: y float32 1
// option: init_value = 0
uint i = thread_position_in_grid.x;
if (a[i] > 0) {
    y[0] = 1.0f;  //! same-value-race y[0] of 1 x53 with 0
}
