// Tests of numbers, and choices between them. A comparison of vectors gives a vector of integers, 0 or -1.
#pragma once
#include "construct.h"
#include "math.h"
#include "traits.h"
#include "types.h"

namespace __simt {
// What a test of T gives: bool, or a vector as comparisons make it.
template <typename T, bool = is_vector<T>>
struct truth_of {
  using type = bool;
};
template <typename T>
struct truth_of<T, true> {
  using type = decltype(T() == T());
};
template <typename T>
using truth = typename truth_of<T>::type;

// The bits of a number without its sign, and those of infinity. Tests by bits hold under fast maths too.
template <typename Element>
struct word {
  using type = short;
};
template <>
struct word<float> {
  using type = int;
};
template <typename T>
like<T, typename word<element_of<T>>::type> magnitude(T x) {
  using Word = typename word<element_of<T>>::type;
  return as_type<like<T, Word>>(x) & like<T, Word>(Word(~0u >> (33 - sizeof(Word) * 8)));
}
template <typename Element>
constexpr auto infinity_bits = typename word<Element>::type(__is_same(Element, float)  ? 0x7F800000
                                                           : __is_same(Element, half) ? 0x7C00
                                                                                      : 0x7F80);
template <typename Element>
constexpr auto normal_bits = typename word<Element>::type(__is_same(Element, float)  ? 0x00800000
                                                         : __is_same(Element, half) ? 0x0400
                                                                                    : 0x0080);
// The type that a call of several types means, by C++'s rule for overloads on all of Metal's types: the one type that
// some arguments have, where the others convert to it and have no overload of their own.
template <typename... T>
struct leading;
template <typename T>
struct leading<T> {
  using type = T;
};
template <typename A, typename B, typename... Rest>
struct leading<A, B, Rest...> {
  static constexpr bool first = is_vector<A> || (!is_vector<B> && is_float<A>);
  using type = typename leading<metal::conditional_t<first, A, B>, Rest...>::type;
};
// Numbers beside a vector; and integers beside a number, for functions of floating point only.
template <typename V, bool float_only, typename T>
constexpr bool joins = __is_same(T, V) || (is_vector<V> && is_scalar<T>) || (float_only && is_float<V> && is_integer<T>);
template <bool float_only, typename V, typename... T>
using meant_if = enable_if<(joins<V, float_only, T> && ...) && !(__is_same(T, V) && ...), V>;
template <bool float_only, typename... T>
using meant = meant_if<float_only, typename leading<T...>::type, T...>;

template <typename T>
using if_float_truth = enable_if<is_float<element_of<T>>, truth<T>>;
}  // namespace __simt

namespace metal {
#define SIMT_TEST(name, ...)                                         \
  template <typename T>                                              \
  __simt::if_float_truth<T> name(T x) {                              \
    auto m = __simt::magnitude(x);                                   \
    auto infinity = decltype(m)(__simt::infinity_bits<__simt::element_of<T>>); \
    auto normal = decltype(m)(__simt::normal_bits<__simt::element_of<T>>);     \
    return __VA_ARGS__;                                              \
  }
SIMT_TEST(isnan, m > infinity)
SIMT_TEST(isinf, m == infinity)
SIMT_TEST(isfinite, m < infinity)
SIMT_TEST(isnormal, (m < infinity) & (m >= normal))
#undef SIMT_TEST
template <typename T>
__simt::if_float_truth<T> signbit(T x) {
  using Word = typename __simt::word<__simt::element_of<T>>::type;
  return as_type<__simt::like<T, Word>>(x) < __simt::like<T, Word>(0);
}
template <typename T>
__simt::if_float_truth<T> isordered(T x, T y) {
  return !isnan(x) & !isnan(y);
}
template <typename T>
__simt::if_float_truth<T> isunordered(T x, T y) {
  return isnan(x) | isnan(y);
}
#define SIMT_COMPARE(name, op)                       \
  template <typename T>                              \
  __simt::if_float_truth<T> name(T x, T y) {         \
    return x op y;                                   \
  }
SIMT_COMPARE(isequal, ==)
SIMT_COMPARE(isnotequal, !=)
SIMT_COMPARE(isgreater, >)
SIMT_COMPARE(isgreaterequal, >=)
SIMT_COMPARE(isless, <)
SIMT_COMPARE(islessequal, <=)
#undef SIMT_COMPARE

template <typename T>
bool all(T x) {
  if constexpr (__simt::is_bools<T>) {
    return all(x.ints());
  } else if constexpr (__simt::is_vector<T>) {
    bool every = true;
    for (int i = 0; i < __simt::size_of<T>; i++) every = every && x[i] != 0;
    return every;
  } else {
    return x != 0;
  }
}
template <typename T>
bool any(T x) {
  if constexpr (__simt::is_bools<T>) {
    return any(x.ints());
  } else if constexpr (__simt::is_vector<T>) {
    bool some = false;
    for (int i = 0; i < __simt::size_of<T>; i++) some = some || x[i] != 0;
    return some;
  } else {
    return x != 0;
  }
}
// y where the condition holds, x elsewhere.
template <typename T, typename C>
T select(T x, T y, C condition) {
  if constexpr (__simt::is_bools<C>) {
    return select(x, y, condition.ints());
  } else if constexpr (__simt::is_vector<T> && __simt::is_vector<C>) {
    T r;
    for (int i = 0; i < __simt::size_of<T>; i++) r[i] = condition[i] != 0 ? y[i] : x[i];
    return r;
  } else {
    return condition ? y : x;
  }
}
template <typename T>
__simt::if_float<T> sign(T x) {
  return select(select(select(T(0), T(-1), x < T(0)), T(1), x > T(0)), x, x == T(0));
}
template <typename T>
__simt::if_float<T> frexp(T value, __simt::like<T, int>& exponent) {
  auto one = [](float x, int& e) -> float {
    uint bits = as_type<uint>(x), size = bits & 0x7FFFFFFFu;
    if (size == 0 || size >= 0x7F800000u) {
      e = 0;
      return x;
    }
    int shift = 0;
    if (size < 0x00800000u) {  // a denormal: made normal first
      shift = -32;
      bits = as_type<uint>(x * 0x1p32f);
    }
    e = int((bits >> 23) & 0xFFu) - 126 + shift;
    return as_type<float>((bits & 0x807FFFFFu) | 0x3F000000u);
  };
  if constexpr (__simt::is_vector<T>) {
    T r;
    for (int i = 0; i < __simt::size_of<T>; i++) {
      int e;
      r[i] = __simt::element_of<T>(one(float(value[i]), e));
      exponent[i] = e;
    }
    return r;
  } else {
    return T(one(float(value), exponent));
  }
}
template <typename T>
__simt::if_float<T> modf(T x, T& whole) {
  whole = trunc(x);
  return copysign(select(x - whole, T(0), isinf(x)), x);
}
template <typename T, typename E>
__simt::if_float<T> ldexp(T value, E exponent) {
  auto x = __simt::cast<__simt::in_float<T>>(value);
  return __simt::cast<T>(__builtin_elementwise_ldexp(x, __simt::cast<__simt::like<T, int>>(exponent)));
}
template <typename T>
__simt::enable_if<__simt::is_float<__simt::element_of<T>>, __simt::like<T, int>> ilogb(T value) {
  __simt::like<T, int> exponent;
  T ignored = frexp(value, exponent);
  auto zero = value == T(0), special = !isfinite(value);
  return select(select(exponent - 1, __simt::like<T, int>(-2147483647 - 1), zero), __simt::like<T, int>(2147483647), special);
}
inline float nextafter(float x, float y) { return nextafterf(x, y); }

#define SIMT_MIXED2(name, float_only)                                                      \
  template <typename A, typename B>                                                        \
  __simt::meant<float_only, A, B> name(A a, B b) {                                         \
    using V = __simt::meant<float_only, A, B>;                                             \
    return name(__simt::cast<V>(a), __simt::cast<V>(b));                                   \
  }
#define SIMT_MIXED3(name, float_only)                                                      \
  template <typename A, typename B, typename C>                                            \
  __simt::meant<float_only, A, B, C> name(A a, B b, C c) {                                 \
    using V = __simt::meant<float_only, A, B, C>;                                          \
    return name(__simt::cast<V>(a), __simt::cast<V>(b), __simt::cast<V>(c));               \
  }
SIMT_MIXED2(max, false)
SIMT_MIXED2(min, false)
SIMT_MIXED3(clamp, false)
#define SIMT_MIXED            \
  SIMT_MIXED2(fmax, true)     \
  SIMT_MIXED2(fmin, true)     \
  SIMT_MIXED2(fmod, true)     \
  SIMT_MIXED2(fdim, true)     \
  SIMT_MIXED2(pow, true)      \
  SIMT_MIXED2(powr, true)     \
  SIMT_MIXED2(atan2, true)    \
  SIMT_MIXED2(copysign, true) \
  SIMT_MIXED3(fma, true)
SIMT_MIXED
SIMT_MIXED2(step, true)
SIMT_MIXED3(mix, true)
SIMT_MIXED3(smoothstep, true)
namespace fast {
SIMT_MIXED
}
namespace precise {
SIMT_MIXED
}
#undef SIMT_MIXED
#undef SIMT_MIXED2
#undef SIMT_MIXED3
}  // namespace metal
