// `m[i]` where m lies outside a thread's own memory: repair.py makes it `parts(m)[i]`.
#pragma once
#include "matrix.h"
#include "packed.h"
#include "spaces.h"
#include "traits.h"

namespace __simt {
#define SIMT_PARTS_OF(space)                    \
  template <typename T, int C, int R>           \
  auto parts(space metal::matrix<T, C, R>& m) { \
    return &m.columns[0];                       \
  }                                             \
  template <typename T, size_t N>               \
  auto parts(space metal::array<T, N>& a) {     \
    return &a.elements[0];                      \
  }                                             \
  template <typename T>                         \
  auto parts(space packed3<T>& v) {             \
    return &v.x;                                \
  }                                             \
  template <typename T>                         \
  const T parts(space T& object) {              \
    return object;                              \
  }
#define SIMT_PARTS(space) SIMT_PARTS_OF(space) SIMT_PARTS_OF(const space)
SIMT_PARTS(__attribute__((address_space(1))))
SIMT_PARTS(__attribute__((address_space(2))))
SIMT_PARTS(__attribute__((address_space(3))))
#undef SIMT_PARTS
#undef SIMT_PARTS_OF
// In a template, an object that is the thread's own after all.
template <typename T>
T& parts(T& object) {
  return object;
}
}  // namespace __simt
