// Q4_K GEMV by words and rows: y[N] = W[N, K] * x[K], W in super-blocks of 256 along K, 144 bytes each.
//
// A SIMD-group owns y[n] ... y[n + ROWS - 1], ROWS = 4, and takes one super-block of each row a step. Lane l
// loads word l of the 32 words of nibbles: four elements of sub-block 2p and the same four of 2p + 1, p = l
// / 8. It uses its eight elements of x for all rows.
//
// The headers of four super-blocks are 64 bytes: lane l loads two of them, and works out scale and minimum
// of sub-block l % 8 of row l / 8. Then every lane asks others for the two of each row that it needs.
//
// Past the last row, a SIMD-group computes that row again and does not store it. load_four: gemv/four.metal.

int lane = thread_index_in_simdgroup;
int n = (threadgroup_position_in_grid.x * SIMDGROUPS + simdgroup_index_in_threadgroup) * ROWS;
int N = blocks_shape[0];
int count = blocks_shape[1];

size_t row[ROWS];
for (int r = 0; r < ROWS; r++) {
    row[r] = size_t(min(n + r, N - 1)) * count * 144;
}
size_t headers = size_t(min(n + lane / 8, N - 1)) * count * 144 + lane % 8 * 2;
auto xs = x + lane / 8 * 64 + lane % 8 * 4;

// Which lanes hold a row's halves, and the three bytes that sub-blocks j and j + 4 share.
ushort own = lane / 8 * 8;
ushort place = own + 2 + lane % 4 / 2;
uint shift = lane % 2 * 8;
bool upper = lane % 8 >= 4;

float sum[ROWS] = {};
for (int b = 0; b < count; b++) {
    size_t start = size_t(b) * 144;
    uint header = *(const device ushort*)(blocks + headers + start);
    float d = float(as_type<half>(ushort(simd_shuffle(header, own))));
    float dmin = float(as_type<half>(ushort(simd_shuffle(header, ushort(own + 1)))));
    uint low = simd_shuffle(header, place) >> shift;
    uint middle = simd_shuffle(header, ushort(place + 2)) >> shift;
    uint high = simd_shuffle(header, ushort(place + 4)) >> shift;
    float scale = d * float(upper ? (high & 15) | (low >> 2 & 48) : low & 63);
    float minimum = dmin * float(upper ? (high >> 4 & 15) | (middle >> 2 & 48) : middle & 63);

    float4 x_even = load_four(xs + b * 256);
    float4 x_odd = load_four(xs + b * 256 + 32);
    float xs_even = (x_even.x + x_even.y) + (x_even.z + x_even.w);
    float xs_odd = (x_odd.x + x_odd.y) + (x_odd.z + x_odd.w);
    #pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++) {
        uint word = *(const device uint*)(blocks + row[r] + start + 16 + lane * 4);
        float4 q_even = float4(as_type<uchar4>(word & 0x0f0f0f0f));
        float4 q_odd = float4(as_type<uchar4>(word >> 4 & 0x0f0f0f0f));
        ushort even = r * 8 + lane / 8 * 2;
        ushort odd = even + 1;
        sum[r] += simd_shuffle(scale, even) * dot(q_even, x_even) - simd_shuffle(minimum, even) * xs_even;
        sum[r] += simd_shuffle(scale, odd) * dot(q_odd, x_odd) - simd_shuffle(minimum, odd) * xs_odd;
    }
}

for (int r = 0; r < ROWS; r++) {
    float total = simd_sum(sum[r]);
    if (lane == 0 && n + r < N) {
        y[n + r] = T(total);
    }
}
