// Q4_K batched GEMV: Y[M, N] = X[M, K] * W[N, K]^T for a small M, W in super-blocks of 256, 144 bytes each.
//
// A SIMD-group owns the M * ROWS outputs Y[0 ... M - 1, n ... n + ROWS - 1]. Who loads what is as in
// gemv.metal. Here each lane makes numbers of its eight weights a row, and multiplies them with every row of
// X: the work of unpacking is done once, whatever M is.
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

ushort own = lane / 8 * 8;
ushort place = own + 2 + lane % 4 / 2;
uint shift = lane % 2 * 8;
bool upper = lane % 8 >= 4;

float sum[M][ROWS] = {};
for (int b = 0; b < count; b++) {
    size_t start = size_t(b) * 144;
    uint header = lane < 8 * ROWS ? *(const device ushort*)(blocks + headers + start) : ushort(0);
    float d = float(as_type<half>(ushort(simd_shuffle(header, own))));
    float dmin = float(as_type<half>(ushort(simd_shuffle(header, ushort(own + 1)))));
    uint low = simd_shuffle(header, place) >> shift;
    uint middle = simd_shuffle(header, ushort(place + 2)) >> shift;
    uint high = simd_shuffle(header, ushort(place + 4)) >> shift;
    float scale = d * float(upper ? (high & 15) | (low >> 2 & 48) : low & 63);
    float minimum = dmin * float(upper ? (high >> 4 & 15) | (middle >> 2 & 48) : middle & 63);

    float4 w_even[ROWS];
    float4 w_odd[ROWS];
    #pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++) {
        uint word = *(const device uint*)(blocks + row[r] + start + 16 + lane * 4);
        ushort even = r * 8 + lane / 8 * 2;
        ushort odd = even + 1;
        w_even[r] = simd_shuffle(scale, even) * float4(as_type<uchar4>(word & 0x0f0f0f0f))
            - simd_shuffle(minimum, even);
        w_odd[r] = simd_shuffle(scale, odd) * float4(as_type<uchar4>(word >> 4 & 0x0f0f0f0f))
            - simd_shuffle(minimum, odd);
    }
    #pragma clang loop unroll(full)
    for (int m = 0; m < M; m++) {
        float4 x_even = load_four(xs + (size_t(m) * count + b) * 256);
        float4 x_odd = load_four(xs + (size_t(m) * count + b) * 256 + 32);
        #pragma clang loop unroll(full)
        for (int r = 0; r < ROWS; r++) {
            sum[m][r] += dot(w_even[r], x_even) + dot(w_odd[r], x_odd);
        }
    }
}

#pragma clang loop unroll(full)
for (int m = 0; m < M; m++) {
    #pragma clang loop unroll(full)
    for (int r = 0; r < ROWS; r++) {
        float total = simd_sum(sum[m][r]);
        if (lane == 0 && n + r < N) {
            y[size_t(m) * N + n + r] = T(total);
        }
    }
}
