// Colours and samples packed into words: unorm maps [0, 1], snorm [-1, 1], rounding to nearest.
#pragma once
#include "math.h"

namespace __simt {
// `bits` wide fields, the first lowest.
template <int N, bool is_signed, int bits>
uint pack(metal::vec<float, N> x) {
  constexpr float scale = is_signed ? (1 << (bits - 1)) - 1 : (1u << bits) - 1;
  uint word = 0;
  for (int i = 0; i < N; i++) {
    float v = __builtin_elementwise_maxnum(x[i], is_signed ? -1.0f : 0.0f);
    v = __builtin_elementwise_rint(__builtin_elementwise_minnum(v, 1.0f) * scale);
    word |= (uint(int(v)) & ((1u << bits) - 1)) << (i * bits);
  }
  return word;
}
template <typename Element, int N, bool is_signed, int bits>
metal::vec<Element, N> unpack(uint word) {
  constexpr float scale = is_signed ? (1 << (bits - 1)) - 1 : (1u << bits) - 1;
  metal::vec<Element, N> x;
  for (int i = 0; i < N; i++) {
    uint field = word >> (i * bits) & ((1u << bits) - 1);
    float v = is_signed ? float(int(field << (32 - bits)) >> (32 - bits)) : float(field);
    x[i] = Element(__builtin_elementwise_maxnum(v / scale, -1.0f));
  }
  return x;
}
}  // namespace __simt

namespace metal {
#define SIMT_PACK(form, N, is_signed, bits, Word)                                                                      \
  inline Word pack_float_to_##form(vec<float, N> x) { return Word(__simt::pack<N, is_signed, bits>(x)); }              \
  inline Word pack_half_to_##form(vec<half, N> x) {                                                                    \
    return Word(__simt::pack<N, is_signed, bits>(__builtin_convertvector(x, vec<float, N>)));                          \
  }                                                                                                                    \
  inline vec<float, N> unpack_##form##_to_float(Word x) { return __simt::unpack<float, N, is_signed, bits>(x); }       \
  inline vec<half, N> unpack_##form##_to_half(Word x) { return __simt::unpack<half, N, is_signed, bits>(x); }
SIMT_PACK(unorm4x8, 4, false, 8, uint)
SIMT_PACK(snorm4x8, 4, true, 8, uint)
SIMT_PACK(unorm2x16, 2, false, 16, uint)
SIMT_PACK(snorm2x16, 2, true, 16, uint)
#undef SIMT_PACK
}  // namespace metal
