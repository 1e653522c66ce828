// Four neighbouring elements, taken together.
//
// A row of W starts wherever K puts it, and an array may be a slice of a larger one. float4 asks for 16 bytes
// of alignment; this struct, like Metal's packed_float4, only for that of one element, so it can start
// anywhere. Whether that becomes one load or four is for the compiler to say.

template <typename T>
struct four {
    T a, b, c, d;
};

template <typename T>
inline float4 load_four(const device T* from) {
    four<T> v = *(const device four<T>*)from;
    return float4(v.a, v.b, v.c, v.d);
}

// MLX puts arrays of fewer than eight elements into constant memory.
template <typename T>
inline float4 load_four(const constant T* from) {
    four<T> v = *(const constant four<T>*)from;
    return float4(v.a, v.b, v.c, v.d);
}
