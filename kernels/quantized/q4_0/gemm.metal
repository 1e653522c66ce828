// GEMM on Q4_0: Y[M, N] = X[M, K] * W[N, K]^T, X and Y row-major, W in blocks of 32 along K, 18 bytes each.
// By 8x8 SIMD-group matrices.
//
// A threadgroup owns a tile of BM x BN outputs, each of its SIMD-groups FM x FN fragments of it,
// accumulated in float. A step along K is one block: all threads load BM x 32 elements of X and unpack BN
// blocks into BN x 32 weights, a block by four neighbouring lanes. Both tiles are of type S. With S = float
// they hold what they stand for; in a narrower type each weight is rounded once more.
//
// Lane 4b + part takes bytes 4 * part to 4 * part + 3 of the codes, which are elements c = 4 * part to c +
// 3 and c + 16 to c + 19. Blocks start at even places only, so they are read two bytes at a time. The first
// of the four lanes reads the scale and passes it on.
//
// K is a multiple of 32. Outside of X and W the tiles hold zero, so only the store looks at the edges: it
// goes by way of threadgroup memory, as a fragment cannot be stored in part.

constexpr int BM = DOWN * FM * 8;
constexpr int BN = ACROSS * FN * 8;
constexpr int BK = 32;
constexpr int SIMDGROUPS = DOWN * ACROSS;
// 16 bytes of padding a row: the eight rows of a fragment then start in different banks.
constexpr int LD = BK + 16 / sizeof(S);

int lane = thread_index_in_simdgroup;
int group = simdgroup_index_in_threadgroup;
int m0 = threadgroup_position_in_grid.y * BM;
int n0 = threadgroup_position_in_grid.x * BN;
int fm = group / ACROSS * FM * 8;  // this SIMD-group's first row and column in the tile
int fn = group % ACROSS * FN * 8;
int M = X_shape[0];
int K = X_shape[1];
int N = blocks_shape[0];

threadgroup S x_tile[BM * LD];
threadgroup S w_tile[BN * LD];
threadgroup float strips[SIMDGROUPS][8 * FN * 8];

simdgroup_matrix<float, 8, 8> sums[FM][FN];
for (int i = 0; i < FM; i++) {
    for (int j = 0; j < FN; j++) {
        sums[i][j] = make_filled_simdgroup_matrix<float, 8, 8>(0.0f);
    }
}

int part = lane % 4;
for (int k0 = 0; k0 < K; k0 += BK) {
    for (int r = group; r < BM; r += SIMDGROUPS) {
        x_tile[r * LD + lane] = m0 + r < M ? S(X[size_t(m0 + r) * K + k0 + lane]) : S(0);
    }
    for (int r = group * 8 + lane / 4; r < BN; r += SIMDGROUPS * 8) {
        float d = 0;
        uint codes = 0;
        if (n0 + r < N) {
            auto block = (const device ushort*)(blocks + (size_t(n0 + r) * (K / 32) + k0 / 32) * 18);
            if (part == 0) {
                d = float(as_type<half>(block[0]));
            }
            codes = block[1 + 2 * part] | uint(block[2 + 2 * part]) << 16;
        }
        d = simd_shuffle(d, ushort(lane - part));
        vec<S, 4> low, high;
        for (int c = 0; c < 4; c++) {
            low[c] = S(d * (float(codes >> (8 * c) & 15) - 8));
            high[c] = S(d * (float(codes >> (8 * c + 4) & 15) - 8));
        }
        auto to = (threadgroup vec<S, 4>*)(w_tile + r * LD + 4 * part);
        to[0] = low;
        to[4] = high;
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // both tiles are there

    for (int k = 0; k < BK; k += 8) {
        simdgroup_matrix<S, 8, 8> x[FM];
        simdgroup_matrix<S, 8, 8> w[FN];
        for (int i = 0; i < FM; i++) {
            simdgroup_load(x[i], x_tile + (fm + 8 * i) * LD + k, LD);
        }
        for (int j = 0; j < FN; j++) {  // rows of w_tile are columns of the product
            simdgroup_load(w[j], w_tile + (fn + 8 * j) * LD + k, LD, ulong2(0), true);
        }
        for (int i = 0; i < FM; i++) {
            for (int j = 0; j < FN; j++) {
                simdgroup_multiply_accumulate(sums[i][j], x[i], w[j], sums[i][j]);
            }
        }
    }
    threadgroup_barrier(mem_flags::mem_threadgroup);  // nobody still reads them
}

threadgroup float* strip = strips[group];
for (int i = 0; i < FM; i++) {
    for (int j = 0; j < FN; j++) {
        simdgroup_store(sums[i][j], strip + 8 * j, FN * 8);
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);  // all lanes see the strip
    for (int e = lane; e < 8 * FN * 8; e += 32) {
        int m = m0 + fm + 8 * i + e / (FN * 8);
        int n = n0 + fn + e % (FN * 8);
        if (m < M && n < N) {
            Y[size_t(m) * N + n] = T(strip[e]);
        }
    }
    simdgroup_barrier(mem_flags::mem_threadgroup);  // the next strip goes to the same place
}
