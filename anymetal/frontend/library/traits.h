// Type traits, limits and the small library around them.
#pragma once
#include "construct.h"
#include "types.h"

namespace metal {

template <typename T, T v>
struct integral_constant {
  static constexpr T value = v;
  using value_type = T;
  using type = integral_constant;
  constexpr operator T() const { return v; }
  constexpr T operator()() const { return v; }
};
template <bool b>
using bool_constant = integral_constant<bool, b>;
using true_type = bool_constant<true>;
using false_type = bool_constant<false>;

template <bool condition, typename T = void>
struct enable_if {};
template <typename T>
struct enable_if<true, T> {
  using type = T;
};
template <bool condition, typename T = void>
using enable_if_t = typename enable_if<condition, T>::type;

template <bool condition, typename T, typename U>
struct conditional {
  using type = T;
};
template <typename T, typename U>
struct conditional<false, T, U> {
  using type = U;
};
template <bool condition, typename T, typename U>
using conditional_t = typename conditional<condition, T, U>::type;

template <typename T>
struct type_identity {
  using type = T;
};
template <typename T>
using type_identity_t = typename type_identity<T>::type;

#define SIMT_CHANGE(name, ...)                   \
  template <typename T>                          \
  struct name {                                  \
    using type = __VA_ARGS__;                    \
  };                                             \
  template <typename T>                          \
  using name##_t = typename name<T>::type;
SIMT_CHANGE(remove_const, __remove_const(T))
SIMT_CHANGE(remove_volatile, __remove_volatile(T))
SIMT_CHANGE(remove_cv, __remove_cv(T))
SIMT_CHANGE(remove_reference, __remove_reference_t(T))
SIMT_CHANGE(remove_extent, __remove_extent(T))
SIMT_CHANGE(decay, __decay(T))
SIMT_CHANGE(make_signed, __make_signed(T))
SIMT_CHANGE(make_unsigned, __make_unsigned(T))
SIMT_CHANGE(underlying_type, __underlying_type(T))
SIMT_CHANGE(add_const, const T)
SIMT_CHANGE(add_lvalue_reference, __add_lvalue_reference(T))
SIMT_CHANGE(add_rvalue_reference, __add_rvalue_reference(T))
#undef SIMT_CHANGE

// Metal's own: a pointer's or reference's target without its address space.
template <typename T>
struct remove_addrspace {
  using type = T;
};
template <typename T>
struct remove_addrspace<__attribute__((address_space(1))) T> {
  using type = T;
};
template <typename T>
struct remove_addrspace<__attribute__((address_space(2))) T> {
  using type = T;
};
template <typename T>
struct remove_addrspace<__attribute__((address_space(3))) T> {
  using type = T;
};
template <typename T>
using remove_addrspace_t = typename remove_addrspace<T>::type;
template <typename T>
struct remove_pointer {
  using type = T;
};
template <typename T>
struct remove_pointer<T*> {
  using type = T;
};
template <typename T>
using remove_pointer_t = typename remove_pointer<T>::type;

#define SIMT_TRAIT(name, ...)                                                   \
  template <typename T>                                                         \
  struct name : bool_constant<__VA_ARGS__> {};                                  \
  template <typename T>                                                         \
  constexpr constant_ bool name##_v = __VA_ARGS__;
#define constant_ __attribute__((address_space(2)))
SIMT_TRAIT(is_void, __is_void(T))
SIMT_TRAIT(is_integral, __is_integral(T))
SIMT_TRAIT(is_floating_point, __simt::is_float<__remove_cv(T)>)
SIMT_TRAIT(is_arithmetic, (__is_integral(T) || __simt::is_float<__remove_cv(T)>))
SIMT_TRAIT(is_fundamental, (__is_integral(T) || __is_void(T) || __simt::is_float<__remove_cv(T)>))
SIMT_TRAIT(is_scalar, (__is_integral(T) || __is_enum(T) || __is_pointer(T) || __simt::is_float<__remove_cv(T)>))
SIMT_TRAIT(is_signed, (__is_signed(T) || __simt::is_float<__remove_cv(T)>))
SIMT_TRAIT(is_unsigned, __is_unsigned(T))
SIMT_TRAIT(is_const, __is_const(T))
SIMT_TRAIT(is_volatile, __is_volatile(T))
SIMT_TRAIT(is_pointer, __is_pointer(T))
SIMT_TRAIT(is_reference, __is_reference(T))
SIMT_TRAIT(is_lvalue_reference, __is_lvalue_reference(T))
SIMT_TRAIT(is_rvalue_reference, __is_rvalue_reference(T))
SIMT_TRAIT(is_array, __is_array(T))
SIMT_TRAIT(is_enum, __is_enum(T))
SIMT_TRAIT(is_class, __is_class(T))
SIMT_TRAIT(is_union, __is_union(T))
SIMT_TRAIT(is_function, __is_function(T))
SIMT_TRAIT(is_trivial, __is_trivially_copyable(T))
SIMT_TRAIT(is_trivially_copyable, __is_trivially_copyable(T))
SIMT_TRAIT(is_standard_layout, __is_standard_layout(T))
SIMT_TRAIT(is_pod, __is_pod(T))
SIMT_TRAIT(is_vector, __simt::is_vector<__remove_cv(T)>)
SIMT_TRAIT(is_default_constructible, __is_constructible(T))
SIMT_TRAIT(is_copy_constructible, __is_constructible(T, const T&))
#undef SIMT_TRAIT
#define SIMT_TRAIT2(name, ...)                                                  \
  template <typename T, typename U>                                             \
  struct name : bool_constant<__VA_ARGS__> {};                                  \
  template <typename T, typename U>                                             \
  constexpr constant_ bool name##_v = __VA_ARGS__;
SIMT_TRAIT2(is_same, __is_same(T, U))
SIMT_TRAIT2(is_base_of, __is_base_of(T, U))
SIMT_TRAIT2(is_convertible, __is_convertible(T, U))
SIMT_TRAIT2(is_assignable, __is_assignable(T, U))
#undef SIMT_TRAIT2
template <typename T, typename... A>
struct is_constructible : bool_constant<__is_constructible(T, A...)> {};
template <typename T, typename... A>
constexpr constant_ bool is_constructible_v = __is_constructible(T, A...);
template <typename... B>
struct conjunction : bool_constant<(B::value && ...)> {};
template <typename... B>
struct disjunction : bool_constant<(B::value || ...)> {};
// Metal's own header has it under this name too, and MLX's atomics use that.
template <typename... B>
using _disjunction = disjunction<B...>;
template <typename B>
struct negation : bool_constant<!B::value> {};
template <typename... B>
constexpr constant_ bool conjunction_v = (B::value && ...);
template <typename... B>
constexpr constant_ bool disjunction_v = (B::value || ...);
template <typename B>
constexpr constant_ bool negation_v = !B::value;

template <typename T>
struct make_scalar {
  using type = __simt::element_of<__remove_cv(T)>;
};
template <typename T>
using make_scalar_t = typename make_scalar<T>::type;
template <typename T, int N>
struct make_vector {
  using type = vec<T, N>;
};
template <typename T, int N>
using make_vector_t = typename make_vector<T, N>::type;
template <typename T>
struct vec_elements : integral_constant<int, __simt::size_of<__remove_cv(T)>> {};

template <typename T>
T&& declval() noexcept;
template <typename T>
constexpr T&& forward(__remove_reference_t(T) & x) noexcept {
  return static_cast<T&&>(x);
}
template <typename T>
constexpr __remove_reference_t(T)&& move(T&& x) noexcept {
  return static_cast<__remove_reference_t(T)&&>(x);
}
template <typename T>
constexpr void swap(T& a, T& b) {
  T t = a;
  a = b;
  b = t;
}

template <typename T, T... I>
struct integer_sequence {
  using value_type = T;
  static constexpr size_t size() { return sizeof...(I); }
};
template <size_t... I>
using index_sequence = integer_sequence<size_t, I...>;
template <typename T, T N>
using make_integer_sequence = __make_integer_seq<integer_sequence, T, N>;
template <size_t N>
using make_index_sequence = make_integer_sequence<size_t, N>;

template <typename T, typename = void>
struct numeric_limits {
  static constexpr bool is_specialized = false;
};
template <typename T>
struct numeric_limits<T, __simt::enable_if<__is_integral(T)>> {
  static constexpr constant_ bool is_specialized = true, is_integer = true, is_exact = true, has_infinity = false,
                                  has_quiet_NaN = false, is_signed = __is_signed(T), is_bounded = true;
  static constexpr constant_ int digits = __is_same(T, bool) ? 1 : int(sizeof(T)) * 8 - __is_signed(T);
  static constexpr constant_ int digits10 = digits * 3 / 10, radix = 2;
  static constexpr T min() {
    if constexpr (__is_signed(T)) return T(1ul << digits);
    else return 0;
  }
  static constexpr T max() {
    if constexpr (__is_same(T, bool)) return true;
    else return T(~0ul >> (64 - digits));
  }
  static constexpr T lowest() { return min(); }
  static constexpr T epsilon() { return 0; }
  static constexpr T infinity() { return 0; }
  static constexpr T quiet_NaN() { return 0; }
};
#define SIMT_FLOAT_LIMITS(T, bits_, digits_, digits10_, min_e, max_e, min_e10, max_e10, min_, max_, eps_)              \
  template <>                                                                                                         \
  struct numeric_limits<T> {                                                                                          \
    static constexpr constant_ bool is_specialized = true, is_integer = false, is_exact = false, has_infinity = true, \
                                    has_quiet_NaN = true, is_signed = true, is_bounded = true, is_iec559 = true;      \
    static constexpr constant_ int digits = digits_, digits10 = digits10_, radix = 2, min_exponent = min_e,           \
                                   max_exponent = max_e, min_exponent10 = min_e10, max_exponent10 = max_e10;          \
    static constexpr T min() { return T(min_); }                                                                      \
    static constexpr T max() { return T(max_); }                                                                      \
    static constexpr T lowest() { return T(-max_); }                                                                  \
    static constexpr T epsilon() { return T(eps_); }                                                                  \
    static constexpr T round_error() { return T(0.5f); }                                                              \
    static constexpr T infinity() { return T(__builtin_inff()); }                                                     \
    static constexpr T quiet_NaN() { return T(__builtin_nanf("")); }                                                  \
    static constexpr T signaling_NaN() { return T(__builtin_nansf("")); }                                             \
    static constexpr T denorm_min() { return __builtin_bit_cast(T, bits_(1)); }                                       \
  };
SIMT_FLOAT_LIMITS(float, uint, 24, 6, -125, 128, -37, 38, 0x1p-126f, 0x1.fffffep+127f, 0x1p-23f)
SIMT_FLOAT_LIMITS(half, ushort, 11, 3, -13, 16, -4, 4, 0x1p-14f, 0x1.ffcp+15f, 0x1p-10f)
SIMT_FLOAT_LIMITS(bfloat, ushort, 8, 2, -125, 128, -37, 38, 0x1p-126f, 0x1.fep+127f, 0x1p-7f)
#undef SIMT_FLOAT_LIMITS
#undef constant_

// A value that every thread has alike. The back end finds that out for itself.
template <typename T>
using uniform = T;
template <typename T>
constexpr T make_uniform(T x) {
  return x;
}

template <typename T, size_t N>
struct array {
  T elements[N];
  constexpr T& operator[](size_t i) { return elements[i]; }
  constexpr const T& operator[](size_t i) const { return elements[i]; }
  static constexpr size_t size() { return N; }
};
}  // namespace metal
