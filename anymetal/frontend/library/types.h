// Scalars, vectors and the little type arithmetic that the other headers need.
#pragma once

typedef unsigned char uchar;
typedef unsigned short ushort;
typedef unsigned int uint;
typedef unsigned long ulong;
typedef signed char int8_t;
typedef short int16_t;
typedef int int32_t;
typedef long int64_t;
typedef unsigned char uint8_t;
typedef unsigned short uint16_t;
typedef unsigned int uint32_t;
typedef unsigned long uint64_t;
typedef unsigned long size_t;
typedef long ptrdiff_t;
typedef long intptr_t;
typedef unsigned long uintptr_t;
typedef _Float16 half;
typedef __bf16 bfloat;

namespace metal {
template <typename T, int N>
using vec = T __attribute__((ext_vector_type(N)));
}

#define SIMT_VECTORS(T)           \
  typedef metal::vec<T, 2> T##2;  \
  typedef metal::vec<T, 3> T##3;  \
  typedef metal::vec<T, 4> T##4;  \
  namespace metal {               \
  using ::T##2;                   \
  using ::T##3;                   \
  using ::T##4;                   \
  }
SIMT_VECTORS(char)
SIMT_VECTORS(uchar)
SIMT_VECTORS(short)
SIMT_VECTORS(ushort)
SIMT_VECTORS(int)
SIMT_VECTORS(uint)
SIMT_VECTORS(long)
SIMT_VECTORS(ulong)
SIMT_VECTORS(half)
SIMT_VECTORS(bfloat)
SIMT_VECTORS(float)
#undef SIMT_VECTORS

namespace metal {
using ::bfloat;
using ::half;
using ::int16_t;
using ::int32_t;
using ::int64_t;
using ::int8_t;
using ::ptrdiff_t;
using ::size_t;
using ::uchar;
using ::uint;
using ::uint16_t;
using ::uint32_t;
using ::uint64_t;
using ::uint8_t;
using ::ulong;
using ::ushort;
}  // namespace metal

template <typename To, typename From>
constexpr To as_type(From value) {
  static_assert(sizeof(To) == sizeof(From), "as_type needs two types of the same size");
  return __builtin_bit_cast(To, value);
}

namespace __simt {

template <bool, typename T = void>
struct enable {};
template <typename T>
struct enable<true, T> {
  using type = T;
};
template <bool condition, typename T = void>
using enable_if = typename enable<condition, T>::type;

template <typename T>
struct shape_of {
  using element = T;
  static constexpr int size = 1;
  static constexpr bool vector = false;
};
template <typename T, int N>
struct shape_of<metal::vec<T, N>> {
  using element = T;
  static constexpr int size = N;
  static constexpr bool vector = true;
};
template <typename T>
constexpr bool is_vector = shape_of<T>::vector;
template <typename T>
using element_of = typename shape_of<T>::element;
template <typename T>
constexpr int size_of = shape_of<T>::size;

template <typename T>
constexpr bool is_half = __is_same(T, half) || __is_same(T, bfloat);
template <typename T>
constexpr bool is_float = __is_same(T, float) || is_half<T>;
template <typename T>
constexpr bool is_integer = __is_integral(T);
template <typename T>
constexpr bool is_unsigned = __is_unsigned(T);
template <typename T>
constexpr bool is_scalar = is_float<T> || is_integer<T>;

template <typename, int... I>
struct indices {};
template <int N>
using count = __make_integer_seq<indices, int, N>;
}  // namespace __simt
