// Q4_0 to numbers: Y[N, K] from blocks[N, K / 32, 18]. A thread for two bytes
// of a block, which are four weights.
//
// Eight neighbouring threads share a block, so the 32 lanes of a SIMD-group
// read four blocks, 72 bytes in one piece. Blocks are 18 bytes long and start
// at even places only: 16-bit loads fit, longer ones do not.

uint block = thread_position_in_grid.x / 8;
uint pair = thread_position_in_grid.x % 8;

auto from = (const device ushort*)(blocks + size_t(block) * 18);
float d = float(as_type<half>(from[0]));
uint codes = from[1 + pair];

// Byte j holds element j in its low nibble and element j + 16 in its high one;
// j is 2 * pair and the next. Two neighbours are stored together, at an even
// place of Y.
float4 q = float4(codes & 15, codes >> 8 & 15, codes >> 4 & 15, codes >> 12);
float4 w = d * (q - 8);
auto to = (device vec<T, 2>*)(Y + size_t(block) * 32 + 2 * pair);
to[0] = vec<T, 2>(T(w.x), T(w.y));
to[8] = vec<T, 2>(T(w.z), T(w.w));
