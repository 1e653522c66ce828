// Q8_0 to numbers: Y[N, K] from blocks[N, K / 32, 34]. A thread for two weights, sixteen threads a block.

uint block = thread_position_in_grid.x / 16;
uint pair = thread_position_in_grid.x % 16;

// Blocks start at even places only, so 16 bits are the most that one load can take.
auto from = (const device ushort*)(blocks + size_t(block) * 34);
float d = float(as_type<half>(from[0]));
char2 q = as_type<char2>(from[1 + pair]);

auto to = (device vec<T, 2>*)(Y + size_t(block) * 32);
to[pair] = vec<T, 2>(T(d * float(q.x)), T(d * float(q.y)));
