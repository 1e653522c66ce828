// floatCxR and halfCxR: C columns of R rows each.
#pragma once
#include "geometric.h"
#include "types.h"

namespace __simt {
// Arguments that take their type from the matrix, not from what is passed.
template <typename T, int N>
struct given_of {
  using vector = metal::vec<T, N>;
  using element = T;
};
template <typename T, int N>
using given_vector = typename given_of<T, N>::vector;
template <typename T>
using given_element = typename given_of<T, 2>::element;
}  // namespace __simt

namespace metal {
template <typename T, int C, int R>
struct matrix {
  using column = vec<T, R>;
  column columns[C];

  matrix() = default;
  constexpr matrix(const matrix&) = default;
  constexpr matrix(const __attribute__((address_space(1))) matrix&) = default;
  constexpr matrix(const __attribute__((address_space(2))) matrix&) = default;
  constexpr matrix(const __attribute__((address_space(3))) matrix&) = default;
  matrix& operator=(const matrix&) = default;
  // A number makes a diagonal.
  explicit constexpr matrix(T diagonal) : columns{} {
    for (int c = 0; c < C; c++)
      for (int r = 0; r < R; r++) columns[c][r] = c == r ? diagonal : T(0);
  }
  template <typename... V, typename = __simt::enable_if<sizeof...(V) == C && C != 1 && (__is_same(V, column) && ...)>>
  constexpr matrix(V... v) : columns{v...} {}
  template <typename... V, typename = __simt::enable_if<sizeof...(V) == C * R && (__simt::is_scalar<V> && ...)>,
            typename = void>
  constexpr matrix(V... v) : columns{} {
    T elements[] = {T(v)...};
    for (int i = 0; i < C * R; i++) columns[i / R][i % R] = elements[i];
  }
  template <typename U, typename = __simt::enable_if<!__is_same(T, U)>>
  explicit constexpr matrix(matrix<U, C, R> m) : columns{} {
    for (int c = 0; c < C; c++) columns[c] = __simt::cast<column>(m.columns[c]);
  }
  column& operator[](int i) { return columns[i]; }
  const column& operator[](int i) const { return columns[i]; }
};

#define SIMT_MATRIX(T, C, R) typedef matrix<T, C, R> T##C##x##R;
#define SIMT_MATRICES(T)                                     \
  SIMT_MATRIX(T, 2, 2) SIMT_MATRIX(T, 2, 3) SIMT_MATRIX(T, 2, 4) \
  SIMT_MATRIX(T, 3, 2) SIMT_MATRIX(T, 3, 3) SIMT_MATRIX(T, 3, 4) \
  SIMT_MATRIX(T, 4, 2) SIMT_MATRIX(T, 4, 3) SIMT_MATRIX(T, 4, 4)
SIMT_MATRICES(float)
SIMT_MATRICES(half)
#undef SIMT_MATRICES
#undef SIMT_MATRIX

template <typename T, int C, int R>
vec<T, R> operator*(matrix<T, C, R> m, __simt::given_vector<T, C> v) {
  vec<T, R> sum = m.columns[0] * v[0];
  for (int c = 1; c < C; c++) sum += m.columns[c] * v[c];
  return sum;
}
template <typename T, int C, int R>
vec<T, C> operator*(__simt::given_vector<T, R> v, matrix<T, C, R> m) {
  vec<T, C> out;
  for (int c = 0; c < C; c++) out[c] = dot(v, m.columns[c]);
  return out;
}
template <typename T, int C, int R, int N>
matrix<T, N, R> operator*(matrix<T, C, R> a, matrix<T, N, C> b) {
  matrix<T, N, R> out;
  for (int n = 0; n < N; n++) out.columns[n] = a * b.columns[n];
  return out;
}
#define SIMT_EACH_COLUMN(op)                                             \
  template <typename T, int C, int R>                                    \
  matrix<T, C, R> operator op(matrix<T, C, R> a, matrix<T, C, R> b) {    \
    for (int c = 0; c < C; c++) a.columns[c] = a.columns[c] op b.columns[c]; \
    return a;                                                            \
  }
SIMT_EACH_COLUMN(+)
SIMT_EACH_COLUMN(-)
#undef SIMT_EACH_COLUMN
template <typename T, int C, int R>
matrix<T, C, R> operator*(matrix<T, C, R> m, __simt::given_element<T> s) {
  for (int c = 0; c < C; c++) m.columns[c] *= s;
  return m;
}
template <typename T, int C, int R>
matrix<T, C, R> operator*(__simt::given_element<T> s, matrix<T, C, R> m) {
  return m * s;
}
template <typename T, int C, int R>
matrix<T, R, C> transpose(matrix<T, C, R> m) {
  matrix<T, R, C> out;
  for (int c = 0; c < C; c++)
    for (int r = 0; r < R; r++) out.columns[r][c] = m.columns[c][r];
  return out;
}
template <typename T>
T determinant(matrix<T, 2, 2> m) {
  return m[0].x * m[1].y - m[1].x * m[0].y;
}
template <typename T>
T determinant(matrix<T, 3, 3> m) {
  return dot(m[0], cross(m[1], m[2]));
}
template <typename T>
T determinant(matrix<T, 4, 4> m) {
  T sum = 0;
  for (int c = 0; c < 4; c++) {
    matrix<T, 3, 3> minor;
    for (int k = 0, at = 0; k < 4; k++)
      if (k != c) minor.columns[at++] = m.columns[k].yzw;
    sum += (c % 2 ? -m.columns[c].x : m.columns[c].x) * determinant(minor);
  }
  return sum;
}
}  // namespace metal
