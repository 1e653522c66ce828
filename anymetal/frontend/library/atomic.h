// Atomics in device and threadgroup memory. Metal's own order is relaxed, and every order asked for is given at least that.
#pragma once
#include "simdgroup.h"
#include "traits.h"
#include "types.h"

namespace metal {
template <typename T>
struct atomic {
  static_assert(__simt::is_integer<T> || __is_same(T, float), "atomic holds int, uint, ulong, float or bool");
  static_assert(sizeof(T) == 4 || sizeof(T) == 8, "atomic holds 32 or 64 bits");
  T value;
};
template <>
struct atomic<bool> {
  uint value;
};
typedef atomic<int> atomic_int;
typedef atomic<uint> atomic_uint;
typedef atomic<ulong> atomic_ulong;
typedef atomic<float> atomic_float;
typedef atomic<bool> atomic_bool;

// Memory is one here: what a fence orders is in order already, once the compiler is kept from moving it.
inline void atomic_thread_fence(mem_flags, memory_order = memory_order_seq_cst, thread_scope = thread_scope_device) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
}
}  // namespace metal

namespace __simt {
// An argument that takes its type from the atomic, not from what is passed.
template <typename T>
using given = metal::type_identity_t<T>;

template <typename T>
struct atomic_word {
  using type = typename integer_of_size<sizeof(T)>::type;
};
template <>
struct atomic_word<bool> {
  using type = int;
};
// Exchanges move bits, so that a float is an integer for them.
template <typename T>
using word_for = typename atomic_word<T>::type;
template <typename T>
word_for<T> to_word(T value) {
  if constexpr (__is_same(T, bool)) return value;
  else return __builtin_bit_cast(word_for<T>, value);
}
template <typename T>
T from_word(word_for<T> word) {
  if constexpr (__is_same(T, bool)) return word != 0;
  else return __builtin_bit_cast(T, word);
}
}  // namespace __simt

namespace metal {
#define SIMT_FETCH(space, name)                                                                             \
  template <typename T>                                                                                     \
  T atomic_fetch_##name##_explicit(volatile space atomic<T>* object, __simt::given<T> operand, memory_order) { \
    return __atomic_fetch_##name((space T*)object, operand, __ATOMIC_RELAXED);                              \
  }
#define SIMT_ATOMICS(space)                                                                                 \
  template <typename T>                                                                                     \
  void atomic_store_explicit(volatile space atomic<T>* object, __simt::given<T> desired, memory_order) {    \
    __atomic_store_n((space __simt::word_for<T>*)object, __simt::to_word<T>(desired), __ATOMIC_RELAXED);    \
  }                                                                                                         \
  template <typename T>                                                                                     \
  T atomic_load_explicit(const volatile space atomic<T>* object, memory_order) {                            \
    return __simt::from_word<T>(__atomic_load_n((space __simt::word_for<T>*)object, __ATOMIC_RELAXED));     \
  }                                                                                                         \
  template <typename T>                                                                                     \
  T atomic_exchange_explicit(volatile space atomic<T>* object, __simt::given<T> desired, memory_order) {    \
    return __simt::from_word<T>(                                                                            \
        __atomic_exchange_n((space __simt::word_for<T>*)object, __simt::to_word<T>(desired), __ATOMIC_RELAXED)); \
  }                                                                                                         \
  template <typename T>                                                                                     \
  bool atomic_compare_exchange_weak_explicit(volatile space atomic<T>* object, __simt::given<T>* expected,  \
                                             __simt::given<T> desired, memory_order, memory_order) {        \
    auto word = __simt::to_word<T>(*expected);                                                              \
    bool done = __atomic_compare_exchange_n((space __simt::word_for<T>*)object, &word,                      \
                                            __simt::to_word<T>(desired), true, __ATOMIC_RELAXED, __ATOMIC_RELAXED); \
    *expected = __simt::from_word<T>(word);                                                                 \
    return done;                                                                                            \
  }                                                                                                         \
  SIMT_FETCH(space, add)                                                                                    \
  SIMT_FETCH(space, sub)                                                                                    \
  SIMT_FETCH(space, min)                                                                                    \
  SIMT_FETCH(space, max)                                                                                    \
  SIMT_FETCH(space, and)                                                                                    \
  SIMT_FETCH(space, or)                                                                                     \
  SIMT_FETCH(space, xor)
SIMT_ATOMICS(__attribute__((address_space(1))))
SIMT_ATOMICS(__attribute__((address_space(3))))
#undef SIMT_ATOMICS
#undef SIMT_FETCH

// ulong's minimum and maximum that return nothing, and without "_explicit" a relaxed order.
template <typename A>
void atomic_max_explicit(A object, ulong operand, memory_order order) {
  atomic_fetch_max_explicit(object, operand, order);
}
template <typename A>
void atomic_min_explicit(A object, ulong operand, memory_order order) {
  atomic_fetch_min_explicit(object, operand, order);
}
}  // namespace metal
