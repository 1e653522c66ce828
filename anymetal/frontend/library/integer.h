// Integer functions, on scalars and vectors.
#pragma once
#include "math.h"
#include "types.h"

namespace __simt {
template <typename T>
constexpr int bits_of = sizeof(element_of<T>) * 8;
template <typename T>
using unsigned_of = like<T, __make_unsigned(element_of<T>)>;
}  // namespace __simt

namespace metal {
template <typename T>
__simt::if_integer<T> popcount(T x) {
  return __builtin_elementwise_popcount(x);
}
template <typename T>
__simt::if_integer<T> clz(T x) {
  using U = __simt::unsigned_of<T>;
  return __simt::cast<T>(__builtin_elementwise_clzg(__simt::cast<U>(x), U(__simt::bits_of<T>)));
}
template <typename T>
__simt::if_integer<T> ctz(T x) {
  using U = __simt::unsigned_of<T>;
  return __simt::cast<T>(__builtin_elementwise_ctzg(__simt::cast<U>(x), U(__simt::bits_of<T>)));
}
template <typename T>
__simt::if_integer<T> reverse_bits(T x) {
  return __builtin_elementwise_bitreverse(x);
}
template <typename T>
__simt::if_integer<T> rotate(T value, T count) {
  using U = __simt::unsigned_of<T>;
  U v = __simt::cast<U>(value), n = __simt::cast<U>(count);
  return __simt::cast<T>(U((v << (n & U(__simt::bits_of<T> - 1))) | (v >> ((U(0) - n) & U(__simt::bits_of<T> - 1)))));
}
template <typename T>
__simt::if_integer<T> addsat(T x, T y) {
  return __builtin_elementwise_add_sat(x, y);
}
template <typename T>
__simt::if_integer<T> subsat(T x, T y) {
  return __builtin_elementwise_sub_sat(x, y);
}
template <typename T>
__simt::unsigned_of<__simt::if_integer<T>> absdiff(T x, T y) {
  using U = __simt::unsigned_of<T>;
  U a = __simt::cast<U>(x), b = __simt::cast<U>(y);
  return x > y ? U(a - b) : U(b - a);
}
// The sum is halved without losing its carry.
template <typename T>
__simt::if_integer<T> hadd(T x, T y) {
  return T((x & y) + ((x ^ y) >> T(1)));
}
template <typename T>
__simt::if_integer<T> rhadd(T x, T y) {
  return T((x | y) - ((x ^ y) >> T(1)));
}
// The upper half of the whole product; 64 bits by halves, for no target need have more.
template <typename T>
__simt::if_integer<T> mulhi(T x, T y) {
  auto one = [](auto a, auto b) {
    using E = decltype(a);
    if constexpr (sizeof(E) == 8) {
      ulong ua = a, ub = b, mask = 0xFFFFFFFFul;
      ulong low = (ua & mask) * (ub & mask), left = (ua >> 32) * (ub & mask) + (low >> 32);
      ulong right = (ua & mask) * (ub >> 32) + (left & mask);
      ulong high = (ua >> 32) * (ub >> 32) + (left >> 32) + (right >> 32);
      if constexpr (__is_signed(E)) high -= (a < 0 ? ub : 0) + (b < 0 ? ua : 0);
      return E(high);
    } else if constexpr (__is_signed(E)) {
      return E((long(a) * long(b)) >> (sizeof(E) * 8));
    } else {
      return E((ulong(a) * ulong(b)) >> (sizeof(E) * 8));
    }
  };
  return __simt::each<T>(one, x, y);
}
template <typename T>
__simt::if_integer<T> madhi(T a, T b, T c) {
  return T(mulhi(a, b) + c);
}
// a * b + c, exact and then brought into T's range.
template <typename T>
__simt::if_integer<T> madsat(T a, T b, T c) {
  auto one = [](auto x, auto y, auto z) {
    using E = decltype(x);
    constexpr E top = E(__is_signed(E) ? ~0ul >> (65 - sizeof(E) * 8) : ~0ul >> (64 - sizeof(E) * 8));
    constexpr E bottom = __is_signed(E) ? E(-top - 1) : E(0);
    if constexpr (sizeof(E) == 8) {
      ulong low = ulong(x) * ulong(y), sum = low + ulong(z);
      E high = E(mulhi(x, y) + (sum < low) + (__is_signed(E) && z < 0 ? E(-1) : E(0)));
      E sign = __is_signed(E) ? E(long(sum) >> 63) : E(0);
      return high == sign ? E(sum) : high < 0 ? bottom : top;
    } else if constexpr (__is_signed(E)) {
      long exact = long(x) * y + z;
      return E(exact > top ? top : exact < bottom ? bottom : exact);
    } else {
      ulong exact = ulong(x) * y + z;
      return E(exact > top ? top : exact);
    }
  };
  return __simt::each<T>(one, a, b, c);
}
// The low 24 bits only; the rest must be a sign or zero, as Metal says.
template <typename T>
__simt::if_integer<T> mul24(T x, T y) {
  return x * y;
}
template <typename T>
__simt::if_integer<T> mad24(T x, T y, T z) {
  return x * y + z;
}
template <typename T>
__simt::if_integer<T> extract_bits(T x, uint offset, uint bits) {
  if (bits == 0) return T(0);
  uint left = __simt::bits_of<T> - offset - bits, right = __simt::bits_of<T> - bits;
  using U = __simt::unsigned_of<T>;
  using E = __simt::element_of<T>;
  return T(__simt::cast<T>(U(__simt::cast<U>(x) << U(left))) >> T(E(right)));
}
template <typename T>
__simt::if_integer<T> insert_bits(T base, T insert, uint offset, uint bits) {
  if (bits == 0) return base;
  using U = __simt::unsigned_of<T>;
  using E = __simt::element_of<U>;
  E mask = E(E(E(~0ul) >> (__simt::bits_of<T> - bits)) << offset);
  return __simt::cast<T>(U((__simt::cast<U>(base) & U(E(~mask))) | ((__simt::cast<U>(insert) << U(E(offset))) & U(mask))));
}
}  // namespace metal
