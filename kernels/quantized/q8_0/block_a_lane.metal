// Q8_0 GEMV, a block a lane: y[N] = W[N, K] * x[K]. One SIMD-group an output.
//
// Lane i takes blocks i, i + 32, ... of row n from end to end, byte by byte. Neighbouring lanes are 34 bytes
// apart in every load: this is the kernel that the layout suggests, and each load touches all the sectors of
// 32 blocks for one byte of each.

int lane = thread_index_in_simdgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup;
int B = blocks_shape[1];

auto row = blocks + size_t(n) * B * 34;
float sum = 0;
for (int b = lane; b < B; b += 32) {
    auto block = row + b * 34;
    float d = float(as_type<half>(*(const device ushort*)block));
    float part = 0;
    for (int i = 0; i < 32; i++) {
        part += float(as_type<char>(block[2 + i])) * float(x[b * 32 + i]);
    }
    sum += d * part;
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
