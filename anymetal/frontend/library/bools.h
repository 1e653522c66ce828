// bool2, bool3, bool4. clang's vectors of bool are bits without names; Metal's are bytes with names, and what a
// comparison of vectors gives turns into one.
#pragma once
#include "types.h"

namespace __simt {

template <typename V>
constexpr bool is_mask = is_vector<V> && is_integer<element_of<V>>;

template <int N>
struct bools;

#define SIMT_BOOLS(N, ...)                                                                  \
  using mask = metal::vec<int, N>;                                                          \
  static constexpr int size = N;                                                            \
  bools() = default;                                                                        \
  constexpr bools(const bools&) = default;                                                  \
  constexpr bools(const __attribute__((address_space(1))) bools&) = default;                \
  constexpr bools(const __attribute__((address_space(2))) bools&) = default;                \
  constexpr bools(const __attribute__((address_space(3))) bools&) = default;                \
  bools& operator=(const bools&) = default;                                                 \
  template <typename V, typename = enable_if<is_mask<V> && size_of<V> == N>>                \
  constexpr bools(V v) : bools(from(v, count<N>{})) {}                                      \
  template <typename V, int... I>                                                           \
  static constexpr bools from(V v, indices<int, I...>) {                                    \
    return bools((v[I] != 0)...);                                                           \
  }                                                                                         \
  bool& operator[](int i) { return (&this->x)[i]; }                                         \
  constexpr bool operator[](int i) const { return ints()[i] != 0; }                         \
  constexpr mask ints() const { return mask{__VA_ARGS__}; }

template <>
struct alignas(2) bools<2> {
  bool x, y;
  constexpr explicit bools(bool v) : x(v), y(v) {}
  constexpr bools(bool a, bool b) : x(a), y(b) {}
  SIMT_BOOLS(2, x, y)
};
template <>
struct alignas(4) bools<3> {
  bool x, y, z;
  constexpr explicit bools(bool v) : x(v), y(v), z(v) {}
  constexpr bools(bool a, bool b, bool c) : x(a), y(b), z(c) {}
  SIMT_BOOLS(3, x, y, z)
};
template <>
struct alignas(4) bools<4> {
  bool x, y, z, w;
  constexpr explicit bools(bool v) : x(v), y(v), z(v), w(v) {}
  constexpr bools(bool a, bool b, bool c, bool d) : x(a), y(b), z(c), w(d) {}
  SIMT_BOOLS(4, x, y, z, w)
};
#undef SIMT_BOOLS

template <typename T>
struct bools_size {
  static constexpr int value = 0;
};
template <int N>
struct bools_size<bools<N>> {
  static constexpr int value = N;
};
template <typename T>
constexpr bool is_bools = bools_size<T>::value != 0;

template <int N>
constexpr bools<N> operator!(bools<N> a) {
  return a.ints() == 0;
}
// A comparison's result may stand on one side, a bool2 on the other; both sides are worked out.
#define SIMT_LOGIC(op, with)                                                           \
  template <int N>                                                                     \
  constexpr bools<N> operator op(bools<N> a, bools<N> b) {                             \
    return a.ints() with b.ints();                                                     \
  }                                                                                    \
  template <int N, typename V, typename = enable_if<is_mask<V> && size_of<V> == N>>    \
  constexpr bools<N> operator op(bools<N> a, V b) {                                    \
    return a.ints() with bools<N>(b).ints();                                           \
  }                                                                                    \
  template <int N, typename V, typename = enable_if<is_mask<V> && size_of<V> == N>>    \
  constexpr bools<N> operator op(V a, bools<N> b) {                                    \
    return bools<N>(a).ints() with b.ints();                                           \
  }
SIMT_LOGIC(&&, &)
SIMT_LOGIC(||, |)
SIMT_LOGIC(&, &)
SIMT_LOGIC(|, |)
SIMT_LOGIC(^, ^)
SIMT_LOGIC(==, ==)
SIMT_LOGIC(!=, !=)
#undef SIMT_LOGIC
}  // namespace __simt

typedef __simt::bools<2> bool2;
typedef __simt::bools<3> bool3;
typedef __simt::bools<4> bool4;
namespace metal {
using ::bool2;
using ::bool3;
using ::bool4;
}  // namespace metal
