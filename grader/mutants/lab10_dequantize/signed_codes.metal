// cause: two-s-complement
// The nibbles are taken for signed numbers.
uint i = thread_position_in_grid.x;
uint block = i / 16;
uint j = i % 16;
if (block >= blocks_shape[0] * blocks_shape[1]) {
    return;
}
auto at = blocks + 18 * block;
float d = float(as_type<half>(ushort(at[0] | at[1] << 8)));
uint codes = at[2 + j];
y[32 * block + j] = T(d * float(int(codes & 15) << 28 >> 28));
y[32 * block + j + 16] = T(d * float(int(codes >> 4) << 28 >> 28));
