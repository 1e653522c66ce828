// Q4_K to numbers: Y[N, K] from blocks[N, K / 256, 144]. A thread for a word of nibbles, which are eight
// weights.
//
// The 32 lanes of a SIMD-group share a super-block: lane l takes word l, four elements of sub-block 2p and
// the same four of 2p + 1, p = l / 8. Sub-blocks 2p and 2p + 1 have their scales and minimums in one half of
// a word each. Y begins where MLX puts a new array, and four elements are a power of two: they are stored
// together.

uint block = thread_position_in_grid.x / 32;
uint lane = thread_index_in_simdgroup;
uint p = lane / 8;

auto words = (const device uint*)(blocks + size_t(block) * 144);
uint header = lane < 4 ? words[lane] : 0;
half2 halves = as_type<half2>(simd_shuffle(header, 0));
uint shift = p % 2 * 16;
uint low = simd_shuffle(header, 1) >> shift;
uint middle = simd_shuffle(header, 2) >> shift;
uint high = simd_shuffle(header, 3) >> shift;
uint scales = p < 2 ? low & 0x3f3f : (high & 0x0f0f) | (low >> 2 & 0x3030);
uint minimums = p < 2 ? middle & 0x3f3f : (high >> 4 & 0x0f0f) | (middle >> 2 & 0x3030);
float d = float(halves.x);
float dmin = float(halves.y);

uint word = words[4 + lane];
float4 even = d * float(scales & 63) * float4(as_type<uchar4>(word & 0x0f0f0f0f))
    - dmin * float(minimums & 63);
float4 odd = d * float(scales >> 8 & 63) * float4(as_type<uchar4>(word >> 4 & 0x0f0f0f0f))
    - dmin * float(minimums >> 8 & 63);

auto to = (device vec<T, 4>*)(Y + size_t(block) * 256 + p * 64 + lane % 8 * 4);
to[0] = vec<T, 4>(even);
to[8] = vec<T, 4>(odd);
