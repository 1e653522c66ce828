// Q8_0 GEMV, lanes side by side: y[N] = W[N, K] * x[K]. One SIMD-group an output.
//
// Sixteen lanes share a block, two neighbouring weights each, in one 16-bit load. A SIMD-group takes two
// blocks a step: 68 bytes in one piece, of which the 16 lanes of a block ask for the same scale.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int B = blocks_shape[1];
int pair = lane % 16;

auto row = blocks + size_t(n) * B * 34;
float sum = 0;
for (int b = lane / 16; b < B; b += 2) {
    auto block = (const device ushort*)(row + b * 34);
    float d = float(as_type<half>(block[0]));
    char2 q = as_type<char2>(block[1 + pair]);
    auto at = x + b * 32 + 2 * pair;
    sum += d * (float(q.x) * float(at[0]) + float(q.y) * float(at[1]));
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
