// Conversions and constructors of vectors, which C++ lacks: `float4(v.xy, 0, 1)` is rewritten to
// `__simt::make<float4>(v.xy, 0, 1)`, and `static_cast<half4>(v)` to `__simt::cast<half4>(v)`.
#pragma once
#include "bools.h"
#include "packed.h"
#include "types.h"

namespace __simt {

template <typename To, typename From>
constexpr To cast(From value) {
  if constexpr (__is_same(To, From)) {
    return value;
  } else if constexpr (is_vector<To> && is_bools<From>) {
    return __builtin_convertvector(value.ints() & 1, To);
  } else if constexpr (is_vector<To> && is_packed3<From>) {
    return cast<To>(typename From::V(value));
  } else if constexpr (is_vector<To> && is_vector<From>) {
    static_assert(size_of<To> == size_of<From>, "a vector converts only to a vector of the same length");
    if constexpr (is_half<element_of<To>> && is_half<element_of<From>>)
      return __builtin_convertvector(__builtin_convertvector(value, metal::vec<float, size_of<To>>), To);
    else
      return __builtin_convertvector(value, To);
  } else if constexpr (is_vector<To>) {
    return To(cast<element_of<To>>(value));
  } else if constexpr (is_half<To> && is_half<From>) {
    return To(float(value));
  } else {
    return static_cast<To>(value);
  }
}

// How many elements of a vector an argument fills.
template <typename T>
constexpr int parts_of = is_packed3<T> ? 3 : is_bools<T> ? bools_size<T>::value : size_of<T>;

// Element I of the arguments laid end to end.
template <int I, typename First, typename... Rest>
constexpr auto pick(First first, Rest... rest) {
  if constexpr (I >= parts_of<First>) {
    return pick<I - parts_of<First>>(rest...);
  } else if constexpr (is_vector<First> || parts_of<First> != 1) {
    return first[I];
  } else {
    return first;
  }
}

template <typename V, typename Index, int... I, typename... Parts>
constexpr V join(indices<Index, I...>, Parts... parts) {
  return V{cast<element_of<V>>(pick<I>(parts...))...};
}

template <typename T, typename... Parts>
constexpr T make(Parts... parts) {
  if constexpr (!is_vector<T>) {
    if constexpr (sizeof...(Parts) == 1 && is_scalar<T>)
      return cast<T>(parts...);
    else
      return T(parts...);
  } else if constexpr (sizeof...(Parts) == 0) {
    return T(0);
  } else if constexpr (sizeof...(Parts) == 1) {
    return cast<T>(parts...);
  } else {
    static_assert((parts_of<Parts> + ...) == size_of<T>,
                  "a vector needs exactly as many elements as it holds, or one scalar");
    return join<T>(count<size_of<T>>{}, parts...);
  }
}
}  // namespace __simt
