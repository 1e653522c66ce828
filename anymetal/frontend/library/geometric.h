// Vectors as arrows: products, lengths, directions.
#pragma once
#include "math.h"

namespace __simt {
template <typename T>
using if_float_vector = enable_if<is_vector<T> && is_float<element_of<T>>, T>;
template <typename T>
using if_float_vector_element = enable_if<is_vector<T> && is_float<element_of<T>>, element_of<T>>;
}  // namespace __simt

namespace metal {
template <typename T>
__simt::if_float_vector_element<T> dot(T x, T y) {
  auto a = __simt::cast<__simt::in_float<T>>(x), b = __simt::cast<__simt::in_float<T>>(y);
  float sum = a[0] * b[0];
  for (int i = 1; i < __simt::size_of<T>; i++) sum += a[i] * b[i];
  return __simt::element_of<T>(sum);
}
template <typename T>
__simt::if_float_vector_element<T> length_squared(T x) {
  return dot(x, x);
}
template <typename T>
__simt::if_float_vector_element<T> length(T x) {
  auto a = __simt::cast<__simt::in_float<T>>(x);
  return __simt::element_of<T>(sqrt(dot(a, a)));
}
template <typename T>
__simt::if_float_vector_element<T> distance(T x, T y) {
  return length(x - y);
}
template <typename T>
__simt::if_float_vector_element<T> distance_squared(T x, T y) {
  return length_squared(x - y);
}
template <typename T>
__simt::if_float_vector<T> normalize(T x) {
  auto a = __simt::cast<__simt::in_float<T>>(x);
  return __simt::cast<T>(a * rsqrt(dot(a, a)));
}
template <typename T>
vec<T, 3> cross(vec<T, 3> x, vec<T, 3> y) {
  return x.yzx * y.zxy - x.zxy * y.yzx;
}
template <typename T>
__simt::if_float_vector<T> faceforward(T n, T i, T reference) {
  return dot(reference, i) < 0 ? n : -n;
}
template <typename T>
__simt::if_float_vector<T> reflect(T i, T n) {
  return i - T(2) * dot(n, i) * n;
}
template <typename T>
__simt::if_float_vector<T> refract(T i, T n, __simt::element_of<T> eta) {
  float d = dot(n, i), k = 1.0f - float(eta) * float(eta) * (1.0f - d * d);
  return k < 0 ? T(0) : T(eta * i - __simt::element_of<T>(float(eta) * d + sqrt(k)) * n);
}
}  // namespace metal
