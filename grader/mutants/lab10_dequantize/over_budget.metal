// cause: over-budget
// A thread a block: the stores of neighbouring lanes are 32 elements apart.
uint block = thread_position_in_grid.x;
if (block >= blocks_shape[0] * blocks_shape[1]) {
    return;
}
auto at = blocks + 18 * block;
float d = float(as_type<half>(ushort(at[0] | at[1] << 8)));
for (uint j = 0; j < 16; j++) {
    uint codes = at[2 + j];
    y[32 * block + j] = T(d * (float(codes & 15) - 8));
    y[32 * block + j + 16] = T(d * (float(codes >> 4) - 8));
}
