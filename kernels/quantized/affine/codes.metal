// Taking codes out of a row's bytes. Code i of a row takes bits i * BITS ... i * BITS + BITS - 1, lowest
// first.
//
// A row holds a multiple of 32 codes, so a whole number of words of 32 bits, and begins at a word.

// How many codes a lane takes at a time: four, or eight of few bits, for a load of 16 bits or more.
template <int BITS>
constexpr uint codes_of() {
    return BITS <= 3 ? 8 : 4;
}

// A lane's share of a step: C neighbouring codes. A step is 32 * C codes, which is C * BITS words.
//
// A share of 16 or 32 bits is one load, lanes side by side. One of 20 or 24 bits may straddle words: the
// first lanes load a word each, and shuffles hand every lane the two words that its share lies in. All
// lanes of the SIMD-group must come here together.
//
// `words` says how many words the row has from `step` on. Lanes with nothing to load take the last one again,
// which costs no further transaction and, unlike an `if`, no mask. Bits above the share are not cleared.
template <int BITS, int C>
inline uint share_of(const device uchar* step, uint lane, uint words) {
    constexpr uint bits = C * BITS;
    if (bits == 16) {
        return ((const device ushort*)step)[min(lane, 2 * words - 1)];
    }
    uint mine = ((const device uint*)step)[min(lane, min(bits, words) - 1)];
    if (bits == 32) {
        return mine;
    }
    uint word = lane * bits / 32;
    uint shift = lane * bits % 32;
    uint low = simd_shuffle(mine, ushort(word));
    uint high = simd_shuffle(mine, ushort(min(word + 1, 31u)));
    return low >> shift | high << 1 << (31 - shift);
}

// Eight neighbouring codes are BITS whole bytes: their bits in one number, code j at bit j * BITS.
template <int BITS>
inline ulong eight_codes(const device uchar* from) {
    ulong bits = 0;
    #pragma clang loop unroll(full)
    for (int i = 0; i < BITS; i++) {
        bits |= ulong(from[i]) << (8 * i);
    }
    return bits;
}

// C neighbouring elements of x as floats, four a load. x starts wherever its array does, so the load asks for
// the alignment of one element only.
template <typename T>
struct four_elements {
    T a, b, c, d;
};

template <typename T, int C>
inline void load_elements(const device T* from, thread float* to) {
    #pragma clang loop unroll(full)
    for (int i = 0; i < C; i += 4) {
        four_elements<T> v = *(const device four_elements<T>*)(from + i);
        to[i] = v.a;
        to[i + 1] = v.b;
        to[i + 2] = v.c;
        to[i + 3] = v.d;
    }
}
