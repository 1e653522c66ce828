// cause: partly-unwritten
// The guard lets the blocks of one row through.
uint i = thread_position_in_grid.x;
uint block = i / 16;
uint j = i % 16;
if (block >= blocks_shape[1]) {
    return;
}
auto at = blocks + 18 * block;
float d = float(as_type<half>(ushort(at[0] | at[1] << 8)));
uint codes = at[2 + j];
y[32 * block + j] = T(d * (float(codes & 15) - 8));
y[32 * block + j + 16] = T(d * (float(codes >> 4) - 8));
