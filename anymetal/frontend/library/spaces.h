// Objects outside a thread's own memory. C++ has no assignment to one and no method of one: repair.py wraps the
// expressions that clang complains about in these.
#pragma once
#include "types.h"

namespace __simt {

template <int align>
struct word_of_align {
  using type = uchar;
};
template <>
struct word_of_align<2> {
  using type = ushort;
};
template <>
struct word_of_align<4> {
  using type = uint;
};
template <>
struct word_of_align<8> {
  using type = ulong;
};
template <>
struct word_of_align<16> {
  using type = uint4;
};

// A copy is const, so that nothing writes to it thinking that it writes to the object.
// `place(p[i]) = value` for an object p[i] of a struct's type.
template <typename T, typename Pointer, typename Word>
struct slot {
  Pointer words;
  template <typename U>
  void operator=(const U& from) const {
    T value = from;
    const Word* source = (const Word*)&value;
    for (uint i = 0; i < sizeof(T) / sizeof(Word); i++) words[i] = source[i];
  }
  T load() const {
    T value;
    Word* target = (Word*)&value;
    for (uint i = 0; i < sizeof(T) / sizeof(Word); i++) target[i] = words[i];
    return value;
  }
#define SIMT_UPDATE(op)                    \
  template <typename U>                    \
  void operator op##=(const U& by) const { \
    *this = load() op by;                  \
  }
  SIMT_UPDATE(+)
  SIMT_UPDATE(-)
  SIMT_UPDATE(*)
  SIMT_UPDATE(/)
#undef SIMT_UPDATE
};

#define SIMT_PLACE(space)                                                               \
  template <typename T>                                                                 \
  decltype(auto) place(__attribute__((address_space(space))) T& target) {               \
    if constexpr (__is_class(T) || __is_union(T)) {                                     \
      using Word = typename word_of_align<alignof(T)>::type;                            \
      using Pointer = __attribute__((address_space(space))) Word*;                      \
      return slot<T, Pointer, Word>{(Pointer)&target};                                  \
    } else {                                                                            \
      return (target);                                                                  \
    }                                                                                   \
  }                                                                                     \
  template <typename T>                                                                 \
  const T copy(const __attribute__((address_space(space))) T& object) {                       \
    return object;                                                                      \
  }                                                                                     \
  template <typename T>                                                                 \
  const T copy(__attribute__((address_space(space))) T& object) {                             \
    return object;                                                                      \
  }
SIMT_PLACE(1)
SIMT_PLACE(2)
SIMT_PLACE(3)
#undef SIMT_PLACE
template <typename T>
T& place(T& target) {
  return target;
}
template <typename T>
T& copy(T& object) {
  return object;
}
template <typename T>
const T& copy(const T& object) {
  return object;
}

}  // namespace __simt
