// Cutting codes to fewer bits, four at once: one in each byte of a word.

// Times a number below 256: that number in each byte.
constant uint BYTES = 0x01010101;

// From codes of FROM bits to codes of R: the top R bits, one more where the next
// bit is set, and no more than the largest code. Bits that a shift brings in from
// the neighbouring byte are masked away, and a byte never overflows: before the
// clamp a code is at most 2^R, and R is at most 6 where anything is cut.
template <int FROM, int R>
inline uint slice_four(uint q) {
    if (FROM == R) {
        return q;
    }
    constexpr int CUT = FROM > R ? FROM - R : 1;
    uint top = (q >> CUT) & (BYTES * ((1u << R) - 1));
    uint rounded = top + ((q >> (CUT - 1)) & BYTES);
    return rounded - ((rounded >> R) & BYTES);
}

// The four codes of R bits in a word that holds them whole, 8 bits each.
template <int R>
inline float4 codes_in(uint word) {
    return float4(as_type<uchar4>(slice_four<8, R>(word)));
}

// The codes of R bits of weights part, part + 8, part + 16 and part + 24, out of
// P planes' words of 32 weights.
template <int R, int P>
inline float4 codes_in(thread const uint* planes, int part) {
    uint q = 0;
    for (int p = 0; p < P; p++) {
        q = q << 1 | (planes[p] >> part & BYTES);
    }
    return float4(as_type<uchar4>(slice_four<P, R>(q)));
}
