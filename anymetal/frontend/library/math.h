// Maths of scalars and vectors. half and bfloat are computed in float and rounded once.
#pragma once
#include "construct.h"
#include "types.h"

// What LLVM has no intrinsic for, by its C name.
extern "C" {
__attribute__((const, nothrow, noconvergent)) float acoshf(float);
__attribute__((const, nothrow, noconvergent)) float asinhf(float);
__attribute__((const, nothrow, noconvergent)) float atanhf(float);
__attribute__((const, nothrow, noconvergent)) float nextafterf(float, float);
}

namespace __simt {

template <typename T>
using float_like = metal::vec<float, size_of<T>>;
template <typename T, bool = is_vector<T>>
struct in_float_of {
  using type = float;
};
template <typename T>
struct in_float_of<T, true> {
  using type = metal::vec<float, size_of<T>>;
};
// float, or a vector of float as long as T.
template <typename T>
using in_float = typename in_float_of<T>::type;
template <typename T, typename Element, bool = is_vector<T>>
struct like_of {
  using type = Element;
};
template <typename T, typename Element>
struct like_of<T, Element, true> {
  using type = metal::vec<Element, size_of<T>>;
};
// T with another element type.
template <typename T, typename Element>
using like = typename like_of<T, Element>::type;

template <typename T>
using if_float = enable_if<is_float<element_of<T>>, T>;
template <typename T>
using if_integer = enable_if<is_integer<element_of<T>>, T>;

// f of each element; for functions that exist for single numbers only.
template <typename R, typename F, typename T, typename... More>
R each(F f, T x, More... more) {
  if constexpr (is_vector<T>) {
    R r;
    for (int i = 0; i < size_of<T>; i++) r[i] = f(x[i], more[i]...);
    return r;
  } else {
    return f(x, more...);
  }
}
// The sine of x half turns and `quarters` quarter turns. The nearest quarter is taken off exactly, so that what meets
// pi is small and a zero of the result is exact.
template <typename T>
T half_turns(T x, T quarters) {
  T nearest = __builtin_elementwise_rint(x + x);
  T rest = __builtin_elementwise_fma(nearest, T(-0.5f), x) * 3.14159265358979f;
  T turn = nearest + quarters, quadrant = turn - 4.0f * __builtin_elementwise_floor(turn * 0.25f);
  T sine = __builtin_elementwise_sin(rest), cosine = __builtin_elementwise_cos(rest);
  T value = ((quadrant == 1.0f) | (quadrant == 3.0f)) ? cosine : sine;
  return quadrant >= 2.0f ? -value : value;
}
}  // namespace __simt

namespace metal {

#define SIMT_MATH1(name, expression)                       \
  template <typename T>                                    \
  __simt::if_float<T> name(T value) {                      \
    auto x = __simt::cast<__simt::in_float<T>>(value);     \
    return __simt::cast<T>(expression);                    \
  }
#define SIMT_MATH2(name, expression)                       \
  template <typename T>                                    \
  __simt::if_float<T> name(T first, T second) {            \
    auto x = __simt::cast<__simt::in_float<T>>(first);     \
    auto y = __simt::cast<__simt::in_float<T>>(second);    \
    return __simt::cast<T>(expression);                    \
  }
#define SIMT_MATHS                                                                   \
  SIMT_MATH1(acos, __builtin_elementwise_acos(x))                                    \
  SIMT_MATH1(asin, __builtin_elementwise_asin(x))                                    \
  SIMT_MATH1(atan, __builtin_elementwise_atan(x))                                    \
  SIMT_MATH1(acosh, __simt::each<decltype(x)>(acoshf, x))                            \
  SIMT_MATH1(asinh, __simt::each<decltype(x)>(asinhf, x))                            \
  SIMT_MATH1(atanh, __simt::each<decltype(x)>(atanhf, x))                            \
  SIMT_MATH1(ceil, __builtin_elementwise_ceil(x))                                    \
  SIMT_MATH1(cos, __builtin_elementwise_cos(x))                                      \
  SIMT_MATH1(cosh, __builtin_elementwise_cosh(x))                                    \
  SIMT_MATH1(exp, __builtin_elementwise_exp(x))                                      \
  SIMT_MATH1(exp2, __builtin_elementwise_exp2(x))                                    \
  SIMT_MATH1(exp10, __builtin_elementwise_exp10(x))                                  \
  SIMT_MATH1(fabs, __builtin_elementwise_abs(x))                                     \
  SIMT_MATH1(floor, __builtin_elementwise_floor(x))                                  \
  SIMT_MATH1(fract, __builtin_elementwise_minnum(x - __builtin_elementwise_floor(x), decltype(x)(0x1.fffffep-1f))) \
  SIMT_MATH1(log, __builtin_elementwise_log(x))                                      \
  SIMT_MATH1(log2, __builtin_elementwise_log2(x))                                    \
  SIMT_MATH1(log10, __builtin_elementwise_log10(x))                                  \
  SIMT_MATH1(rint, __builtin_elementwise_rint(x))                                    \
  SIMT_MATH1(round, __builtin_elementwise_round(x))                                  \
  SIMT_MATH1(rsqrt, 1.0f / __builtin_elementwise_sqrt(x))                            \
  SIMT_MATH1(sin, __builtin_elementwise_sin(x))                                      \
  SIMT_MATH1(sinh, __builtin_elementwise_sinh(x))                                    \
  SIMT_MATH1(sqrt, __builtin_elementwise_sqrt(x))                                    \
  SIMT_MATH1(tan, __builtin_elementwise_tan(x))                                      \
  SIMT_MATH1(tanh, __builtin_elementwise_tanh(x))                                    \
  SIMT_MATH1(trunc, __builtin_elementwise_trunc(x))                                  \
  SIMT_MATH1(sinpi, __simt::half_turns(x, decltype(x)(0)))                           \
  SIMT_MATH1(cospi, __simt::half_turns(x, decltype(x)(1)))                           \
  SIMT_MATH1(tanpi, __simt::half_turns(x, decltype(x)(0)) / __simt::half_turns(x, decltype(x)(1))) \
  SIMT_MATH2(atan2, __builtin_elementwise_atan2(x, y))                               \
  SIMT_MATH2(copysign, __builtin_elementwise_copysign(x, y))                         \
  SIMT_MATH2(divide, x / y)                                                          \
  SIMT_MATH2(fdim, x > y ? x - y : decltype(x)(0))                                   \
  SIMT_MATH2(fmax, __builtin_elementwise_maxnum(x, y))                               \
  SIMT_MATH2(fmin, __builtin_elementwise_minnum(x, y))                               \
  SIMT_MATH2(fmod, __builtin_elementwise_fmod(x, y))                                 \
  SIMT_MATH2(pow, __builtin_elementwise_pow(x, y))                                   \
  SIMT_MATH2(powr, __builtin_elementwise_pow(x, y))                                  \
  template <typename T>                                                              \
  __simt::if_float<T> fma(T a, T b, T c) {                                           \
    return __builtin_elementwise_fma(a, b, c);                                       \
  }                                                                                  \
  template <typename T>                                                              \
  __simt::if_float<T> sincos(T x, T& cosine) {                                       \
    cosine = cos(x);                                                                 \
    return sin(x);                                                                   \
  }

SIMT_MATHS
// The two precisions agree here: both are the accurate one.
namespace fast {
SIMT_MATHS
}
namespace precise {
SIMT_MATHS
}
#undef SIMT_MATHS
#undef SIMT_MATH2
#undef SIMT_MATH1

template <typename T>
T abs(T x) {
  if constexpr (__simt::is_unsigned<__simt::element_of<T>>) return x;
  else if constexpr (__simt::is_half<__simt::element_of<T>>) return fabs(x);
  else return __builtin_elementwise_abs(x);
}
template <typename T>
T max(T x, T y) {
  if constexpr (__simt::is_float<__simt::element_of<T>>) return fmax(x, y);
  else return __builtin_elementwise_max(x, y);
}
template <typename T>
T min(T x, T y) {
  if constexpr (__simt::is_float<__simt::element_of<T>>) return fmin(x, y);
  else return __builtin_elementwise_min(x, y);
}
template <typename T>
T max3(T x, T y, T z) {
  return max(max(x, y), z);
}
template <typename T>
T min3(T x, T y, T z) {
  return min(min(x, y), z);
}
template <typename T>
T median3(T x, T y, T z) {
  return max(min(x, y), min(max(x, y), z));
}
template <typename T>
T clamp(T x, T low, T high) {
  return min(max(x, low), high);
}
template <typename T>
__simt::if_float<T> saturate(T x) {
  return clamp(x, T(0), T(1));
}
template <typename T>
__simt::if_float<T> mix(T x, T y, T a) {
  return x + (y - x) * a;
}
template <typename T>
__simt::if_float<T> step(T edge, T x) {
  return x < edge ? T(0) : T(1);
}
template <typename T>
__simt::if_float<T> smoothstep(T low, T high, T x) {
  T t = saturate((x - low) / (high - low));
  return t * t * (T(3) - T(2) * t);
}
}  // namespace metal
