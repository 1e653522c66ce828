// cause: over-budget
// A thread for each weight loads a byte of codes, and a scale, for one weight.
uint n = blocks_shape[0] * blocks_shape[1] * 32;
for (uint e = thread_position_in_grid.x; e < n; e += threads_per_grid.x) {
    auto at = blocks + 18 * (e / 32);
    float d = float(as_type<half>(ushort(at[0] | at[1] << 8)));
    uint q = e % 32 < 16 ? at[2 + e % 16] & 15 : at[2 + e % 16] >> 4;
    y[e] = T(d * (float(q) - 8));
}
