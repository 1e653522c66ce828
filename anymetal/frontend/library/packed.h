// packed_float3 and its kin: aligned as their elements, so that three floats take twelve bytes.
#pragma once
#include "types.h"

namespace __simt {

// Two and four elements are clang's vectors with less alignment. Three are a struct, which is a vector in a sum.
template <typename T>
struct packed3 {
  using V = metal::vec<T, 3>;
  T x, y, z;
  packed3() = default;
  constexpr packed3(const packed3&) = default;
  constexpr packed3(const __attribute__((address_space(1))) packed3&) = default;
  constexpr packed3(const __attribute__((address_space(2))) packed3&) = default;
  constexpr packed3(const __attribute__((address_space(3))) packed3&) = default;
  packed3& operator=(const packed3&) = default;
  constexpr packed3(V v) : x(v.x), y(v.y), z(v.z) {}
  constexpr explicit packed3(T v) : x(v), y(v), z(v) {}
  constexpr packed3(T a, T b, T c) : x(a), y(b), z(c) {}
  constexpr operator V() const { return V{x, y, z}; }
  T& operator[](int i) { return (&x)[i]; }
  constexpr T operator[](int i) const { return V{x, y, z}[i]; }
};

template <typename T>
struct same_type {
  using type = T;
};
#define SIMT_PACKED(op)                                                                                   \
  template <typename T>                                                                                   \
  constexpr metal::vec<T, 3> operator op(packed3<T> a, packed3<T> b) {                                    \
    return metal::vec<T, 3>(a) op metal::vec<T, 3>(b);                                                    \
  }                                                                                                       \
  template <typename T>                                                                                   \
  constexpr metal::vec<T, 3> operator op(packed3<T> a, typename same_type<metal::vec<T, 3>>::type b) {    \
    return metal::vec<T, 3>(a) op b;                                                                      \
  }                                                                                                       \
  template <typename T>                                                                                   \
  constexpr metal::vec<T, 3> operator op(typename same_type<metal::vec<T, 3>>::type a, packed3<T> b) {    \
    return a op metal::vec<T, 3>(b);                                                                      \
  }
SIMT_PACKED(+)
SIMT_PACKED(-)
SIMT_PACKED(*)
SIMT_PACKED(/)
#undef SIMT_PACKED

template <typename T>
struct packed3_element {
  using type = void;
};
template <typename T>
struct packed3_element<packed3<T>> {
  using type = T;
};
template <typename T>
constexpr bool is_packed3 = !__is_same(typename packed3_element<T>::type, void);
}  // namespace __simt

#define SIMT_PACKED(T)                                                                       \
  typedef T packed_##T##2 __attribute__((ext_vector_type(2), aligned(alignof(T))));          \
  typedef __simt::packed3<T> packed_##T##3;                                                  \
  typedef T packed_##T##4 __attribute__((ext_vector_type(4), aligned(alignof(T))));          \
  namespace metal {                                                                          \
  using ::packed_##T##2;                                                                     \
  using ::packed_##T##3;                                                                     \
  using ::packed_##T##4;                                                                     \
  }
SIMT_PACKED(char)
SIMT_PACKED(uchar)
SIMT_PACKED(short)
SIMT_PACKED(ushort)
SIMT_PACKED(int)
SIMT_PACKED(uint)
SIMT_PACKED(long)
SIMT_PACKED(ulong)
SIMT_PACKED(half)
SIMT_PACKED(bfloat)
SIMT_PACKED(float)
#undef SIMT_PACKED
