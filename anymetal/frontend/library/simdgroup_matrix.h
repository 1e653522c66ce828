// simdgroup_matrix<T, 8, 8>: 64 elements shared by 32 lanes, two neighbours of one row in each lane.
#pragma once
#include "intrinsics.h"
#include "types.h"

namespace __simt {

// The row and first column that a lane holds.
inline uint matrix_row() {
  uint lane = __simt_lane();
  return ((lane >> 2) & 4) + ((lane >> 1) & 3);
}
inline uint matrix_column() {
  uint lane = __simt_lane();
  return ((lane >> 2) & 2) * 2 + (lane & 1) * 2;
}

#define SIMT_ACCESS(name, T, space)                                                                              \
  inline metal::vec<T, 2> matrix_load(__attribute__((address_space(space))) const T* p, ulong row, bool transpose) { \
    return __simt_matrix_load_##name##_p##space(p, row, transpose);                                              \
  }                                                                                                              \
  inline void matrix_store(metal::vec<T, 2> v, __attribute__((address_space(space))) T* p, ulong row,            \
                           bool transpose) {                                                                     \
    __simt_matrix_store_##name##_p##space(v, p, row, transpose);                                                 \
  }
SIMT_ACCESS(f16, half, 1)
SIMT_ACCESS(bf16, bfloat, 1)
SIMT_ACCESS(f32, float, 1)
SIMT_ACCESS(f16, half, 2)
SIMT_ACCESS(bf16, bfloat, 2)
SIMT_ACCESS(f32, float, 2)
SIMT_ACCESS(f16, half, 3)
SIMT_ACCESS(bf16, bfloat, 3)
SIMT_ACCESS(f32, float, 3)
#undef SIMT_ACCESS

template <typename T>
metal::vec<float, 2> widen(metal::vec<T, 2> v) {
  return __builtin_convertvector(v, float2);
}
}  // namespace __simt

namespace metal {

template <typename T, int Columns, int Rows = Columns>
struct simdgroup_matrix {
  static_assert(Columns == 8 && Rows == 8, "simdgroup_matrix is 8 by 8");
  static_assert(__simt::is_float<T>, "simdgroup_matrix holds float, half or bfloat");
  using storage_type = vec<T, 2>;
  storage_type elements;

  simdgroup_matrix() = default;
  // A number makes a diagonal matrix.
  explicit simdgroup_matrix(T diagonal) {
    uint row = __simt::matrix_row(), column = __simt::matrix_column();
    elements = storage_type{row == column ? diagonal : T(0), row == column + 1 ? diagonal : T(0)};
  }
  storage_type& thread_elements() { return elements; }
  const storage_type& thread_elements() const { return elements; }
};

typedef simdgroup_matrix<float, 8, 8> simdgroup_float8x8;
typedef simdgroup_matrix<half, 8, 8> simdgroup_half8x8;
typedef simdgroup_matrix<bfloat, 8, 8> simdgroup_bfloat8x8;

template <typename T, int Columns, int Rows = Columns>
simdgroup_matrix<T, Columns, Rows> make_filled_simdgroup_matrix(T value) {
  simdgroup_matrix<T, Columns, Rows> m;
  m.elements = vec<T, 2>{value, value};
  return m;
}
template <typename T, int Columns, int Rows = Columns>
simdgroup_matrix<T, Columns, Rows> make_diagonal_simdgroup_matrix(T value) {
  return simdgroup_matrix<T, Columns, Rows>(value);
}

#define SIMT_MATRIX_ACCESS(space)                                                                              \
  template <typename T>                                                                                        \
  void simdgroup_load(simdgroup_matrix<T, 8, 8>& m, __attribute__((address_space(space))) const T* source,     \
                      ulong elements_per_row = 8, ulong2 origin = 0, bool transpose = false) {                 \
    m.elements = __simt::matrix_load(source + (origin.y * elements_per_row + origin.x), elements_per_row, transpose); \
  }
#define SIMT_MATRIX_STORE(space)                                                                               \
  template <typename T>                                                                                        \
  void simdgroup_store(simdgroup_matrix<T, 8, 8> m, __attribute__((address_space(space))) T* target,           \
                       ulong elements_per_row = 8, ulong2 origin = 0, bool transpose = false) {                \
    __simt::matrix_store(m.elements, target + (origin.y * elements_per_row + origin.x), elements_per_row, transpose); \
  }
SIMT_MATRIX_ACCESS(1)
SIMT_MATRIX_ACCESS(2)
SIMT_MATRIX_ACCESS(3)
SIMT_MATRIX_STORE(1)
SIMT_MATRIX_STORE(3)
#undef SIMT_MATRIX_ACCESS
#undef SIMT_MATRIX_STORE

// d = a * b + c. The products and sums are made in float and rounded once.
template <typename D, typename A, typename B, typename C>
void simdgroup_multiply_accumulate(simdgroup_matrix<D, 8, 8>& d, simdgroup_matrix<A, 8, 8> a,
                                   simdgroup_matrix<B, 8, 8> b, simdgroup_matrix<C, 8, 8> c) {
  vec<float, 2> r = __simt_mma(__simt::widen<A>(a.elements), __simt::widen<B>(b.elements), __simt::widen<C>(c.elements));
  d.elements = __builtin_convertvector(r, typename simdgroup_matrix<D, 8, 8>::storage_type);
}
template <typename D, typename A, typename B>
void simdgroup_multiply(simdgroup_matrix<D, 8, 8>& d, simdgroup_matrix<A, 8, 8> a, simdgroup_matrix<B, 8, 8> b) {
  vec<float, 2> r = __simt_mma(__simt::widen<A>(a.elements), __simt::widen<B>(b.elements), vec<float, 2>(0));
  d.elements = __builtin_convertvector(r, typename simdgroup_matrix<D, 8, 8>::storage_type);
}
template <typename T>
simdgroup_matrix<T, 8, 8> operator*(simdgroup_matrix<T, 8, 8> a, simdgroup_matrix<T, 8, 8> b) {
  simdgroup_matrix<T, 8, 8> d;
  simdgroup_multiply(d, a, b);
  return d;
}
}  // namespace metal
