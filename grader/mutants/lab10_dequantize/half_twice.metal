// cause: rounded-in-half
// Code times scale and eight times the scale, both in half.
uint i = thread_position_in_grid.x;
uint block = i / 16;
uint j = i % 16;
if (block >= blocks_shape[0] * blocks_shape[1]) {
    return;
}
auto at = blocks + 18 * block;
float d = float(as_type<half>(ushort(at[0] | at[1] << 8)));
uint codes = at[2 + j];
y[32 * block + j] = T(half(d) * half(codes & 15) - half(8) * half(d));
y[32 * block + j + 16] = T(half(d) * half(codes >> 4) - half(8) * half(d));
