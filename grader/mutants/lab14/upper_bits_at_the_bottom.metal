// cause: upper-bits-misplaced
// Six bits are put together with the upper two at the bottom.
uint lane = thread_index_in_simdgroup;
uint n = thread_position_in_grid.x / 32;
uint N = blocks_shape[0];
uint count = blocks_shape[1];
if (n >= N) {
    return;
}
uint p = lane / 8;
uint shift = p % 2 * 16;
float sum = 0;
for (uint b = 0; b < count; b++) {
    auto words = (const device uint*)(blocks + (n * count + b) * 144);
    uint header = lane < 4 ? words[lane] : 0;
    half2 ds = as_type<half2>(simd_shuffle(header, 0));
    uint low = simd_shuffle(header, 1) >> shift;
    uint middle = simd_shuffle(header, 2) >> shift;
    uint high = simd_shuffle(header, 3) >> shift;
    uint scales = p < 2 ? low & 0x3f3f : (high & 0x0f0f) | (low >> 6 & 0x0303);
    uint minimums = p < 2 ? middle & 0x3f3f : (high >> 4 & 0x0f0f) | (middle >> 6 & 0x0303);
    uint word = words[4 + lane];
    uint k = b * 256 + p * 64 + lane % 8 * 4;
    float codes_even = 0, codes_odd = 0, x_even = 0, x_odd = 0;
    for (uint i = 0; i < 4; i++) {
        float a = x[k + i];
        float c = x[k + 32 + i];
        codes_even += float(word >> (8 * i) & 15) * a;
        codes_odd += float(word >> (8 * i + 4) & 15) * c;
        x_even += a;
        x_odd += c;
    }
    sum += float(ds.x) * (float(scales & 63) * codes_even + float(scales >> 8 & 63) * codes_odd);
    sum -= float(ds.y) * (float(minimums & 63) * x_even + float(minimums >> 8 & 63) * x_odd);
}
sum = simd_sum(sum);
if (lane == 0) {
    y[n] = T(sum);
}
