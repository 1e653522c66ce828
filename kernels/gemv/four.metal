// Four neighbouring elements as one load.
//
// A row of W starts wherever K puts it, and an array may be a slice of a larger one. Packed vectors ask only
// for the alignment of one element, so they can start anywhere.

template <typename T>
struct four_of;
template <>
struct four_of<float> {
    using packed = packed_float4;
    using vector = float4;
};
template <>
struct four_of<half> {
    using packed = packed_half4;
    using vector = half4;
};
template <>
struct four_of<bfloat> {
    using packed = packed_bfloat4;
    using vector = bfloat4;
};

template <typename T>
inline float4 load_four(const device T* from) {
    typename four_of<T>::packed v = *(const device typename four_of<T>::packed*)from;
    return float4(typename four_of<T>::vector(v));
}

// MLX puts arrays of fewer than eight elements into constant memory.
template <typename T>
inline float4 load_four(const constant T* from) {
    typename four_of<T>::packed v = *(const constant typename four_of<T>::packed*)from;
    return float4(typename four_of<T>::vector(v));
}
