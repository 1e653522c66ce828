// Q4_K GEMV by words: y[N] = W[N, K] * x[K], W in super-blocks of 256 along K,
// 144 bytes each.
//
// SIMD-group s of a threadgroup owns y[n], and all its lanes share a
// super-block. Lane l loads word l of the 32 words of nibbles: four elements of
// sub-block 2p and the same four of 2p + 1, p = l / 8. Lanes 0 to 3 load the
// four words of the header, and all get them by shuffles. Scale and minimum are
// applied to sums, not to weights.

int lane = thread_index_in_simdgroup;
int own = simdgroup_index_in_threadgroup;
int n = threadgroup_position_in_grid.x * SIMDGROUPS + own;
int count = blocks_shape[1];

// Sub-blocks 2p and 2p + 1 have their bytes in one half of a word.
int p = lane / 8;
uint shift = p % 2 * 16;
bool upper = p >= 2;
auto xs = x + p * 64 + lane % 8 * 4;

float sum = 0;
for (int b = 0; b < count; b++) {
    auto words = (const device uint*)(blocks + (size_t(n) * count + b) * 144);
    uint header = lane < 4 ? words[lane] : 0;
    half2 ds = as_type<half2>(simd_shuffle(header, 0));
    uint low = simd_shuffle(header, 1) >> shift;
    uint middle = simd_shuffle(header, 2) >> shift;
    uint high = simd_shuffle(header, 3) >> shift;
    uint scales = upper ? (high & 0x0f0f) | (low >> 2 & 0x3030) : low & 0x3f3f;
    uint minimums =
        upper ? (high >> 4 & 0x0f0f) | (middle >> 2 & 0x3030) : middle & 0x3f3f;

    uint word = words[4 + lane];
    float4 q_even = float4(as_type<uchar4>(word & 0x0f0f0f0f));
    float4 q_odd = float4(as_type<uchar4>(word >> 4 & 0x0f0f0f0f));
    float4 x_even = load_four(xs + b * 256);
    float4 x_odd = load_four(xs + b * 256 + 32);
    float codes = float(scales & 63) * dot(q_even, x_even)
        + float(scales >> 8 & 63) * dot(q_odd, x_odd);
    float xs_even = (x_even.x + x_even.y) + (x_even.z + x_even.w);
    float xs_odd = (x_odd.x + x_odd.y) + (x_odd.z + x_odd.w);
    float lows = float(minimums & 63) * xs_even
        + float(minimums >> 8 & 63) * xs_odd;
    sum += float(ds.x) * codes - float(ds.y) * lows;
}

float total = simd_sum(sum);
if (lane == 0) {
    y[n] = T(total);
}
