// cause: wrong-stride
// Blocks are taken to lie 16 bytes apart.
uint i = thread_position_in_grid.x;
uint block = i / 16;
uint j = i % 16;
if (block >= blocks_shape[0] * blocks_shape[1]) {
    return;
}
auto at = blocks + 16 * block;
float d = float(as_type<half>(ushort(at[0] | at[1] << 8)));
uint codes = at[2 + j];
y[32 * block + j] = T(d * (float(codes & 15) - 8));
y[32 * block + j + 16] = T(d * (float(codes >> 4) - 8));
