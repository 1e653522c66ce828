// simd_* and quad_*: operations across the 32 lanes of a SIMD-group, on scalars and vectors of them.
#pragma once
#include "intrinsics.h"
#include "types.h"

namespace metal {
enum class mem_flags : uint {
  mem_none = 0,
  mem_device = 1,
  mem_threadgroup = 2,
  mem_texture = 4,
  mem_threadgroup_imageblock = 8,
  mem_object_data = 16,
};
constexpr mem_flags operator|(mem_flags a, mem_flags b) { return mem_flags(uint(a) | uint(b)); }
constexpr mem_flags operator&(mem_flags a, mem_flags b) { return mem_flags(uint(a) & uint(b)); }

enum memory_order { memory_order_relaxed = 0, memory_order_acquire = 2, memory_order_release = 3,
                    memory_order_acq_rel = 4, memory_order_seq_cst = 5 };
enum thread_scope { thread_scope_thread, thread_scope_simdgroup, thread_scope_threadgroup, thread_scope_device };

inline void threadgroup_barrier(mem_flags flags) { __simt_threadgroup_barrier(uint(flags)); }
inline void threadgroup_barrier(mem_flags flags, memory_order) { __simt_threadgroup_barrier(uint(flags)); }
inline void simdgroup_barrier(mem_flags flags) { __simt_simdgroup_barrier(uint(flags)); }
inline void simdgroup_barrier(mem_flags flags, memory_order) { __simt_simdgroup_barrier(uint(flags)); }
}  // namespace metal

namespace __simt {

// The type whose intrinsic serves T: the signed integer of T's size, or T itself for floating point.
template <int size>
struct integer_of_size;
template <>
struct integer_of_size<1> {
  using type = char;
};
template <>
struct integer_of_size<2> {
  using type = short;
};
template <>
struct integer_of_size<4> {
  using type = int;
};
template <>
struct integer_of_size<8> {
  using type = long;
};
template <typename T, bool = is_float<T>>
struct carrier_of {
  using type = T;
};
template <typename T>
struct carrier_of<T, false> {
  static_assert(is_integer<T>, "an operation across lanes takes numbers and vectors of numbers");
  using type = typename integer_of_size<sizeof(T)>::type;
};
template <typename T>
using carrier = typename carrier_of<T>::type;

#define SIMT_ALL(X) X(i8, char) X(i16, short) X(i32, int) X(i64, long) X(f16, half) X(bf16, bfloat) X(f32, float)

// One struct an operation, so that vectors can be handled once.
#define SIMT_OVERLOAD(name, T) \
  static T call(T value, uint source) { return __simt_shuffle_##name(value, source); }
struct shuffle_lanes {
  SIMT_ALL(SIMT_OVERLOAD)
};
#undef SIMT_OVERLOAD

#define SIMT_JOIN(kind, op, name) __simt_##kind##_##op##_##name
#define SIMT_ONE(name, T, kind, op) \
  static T call(T v) { return SIMT_JOIN(kind, op, name)(v); }
#define SIMT_STRUCT_ALL(kind, op)                                                                              \
  struct kind##_##op {                                                                                         \
    SIMT_ONE(i8, char, kind, op) SIMT_ONE(i16, short, kind, op) SIMT_ONE(i32, int, kind, op)                   \
    SIMT_ONE(i64, long, kind, op) SIMT_ONE(f16, half, kind, op) SIMT_ONE(bf16, bfloat, kind, op)               \
    SIMT_ONE(f32, float, kind, op)                                                                             \
  };
#define SIMT_STRUCT_INTEGER(kind, op)                                                                          \
  struct kind##_##op {                                                                                         \
    SIMT_ONE(i8, char, kind, op) SIMT_ONE(i16, short, kind, op) SIMT_ONE(i32, int, kind, op)                   \
    SIMT_ONE(i64, long, kind, op)                                                                              \
  };
#define SIMT_OPERATIONS(kind)     \
  SIMT_STRUCT_ALL(kind, add)      \
  SIMT_STRUCT_ALL(kind, mul)      \
  SIMT_STRUCT_ALL(kind, min)      \
  SIMT_STRUCT_ALL(kind, max)      \
  SIMT_STRUCT_INTEGER(kind, umin) \
  SIMT_STRUCT_INTEGER(kind, umax) \
  SIMT_STRUCT_INTEGER(kind, and)  \
  SIMT_STRUCT_INTEGER(kind, or)   \
  SIMT_STRUCT_INTEGER(kind, xor)
SIMT_OPERATIONS(reduce)
SIMT_OPERATIONS(scan_inclusive)
SIMT_OPERATIONS(scan_exclusive)
#undef SIMT_OPERATIONS
#undef SIMT_STRUCT_INTEGER
#undef SIMT_STRUCT_ALL
#undef SIMT_ONE
#undef SIMT_JOIN
#undef SIMT_ALL

template <typename Operation, typename T, typename... Rest>
T across(T value, Rest... rest) {
  if constexpr (is_vector<T>) {
    T result;
    for (int i = 0; i < size_of<T>; i++) result[i] = across<Operation, element_of<T>>(value[i], rest...);
    return result;
  } else if constexpr (__is_same(T, bool)) {
    return bool(Operation::call(int(value), rest...));
  } else {
    using C = carrier<T>;
    return __builtin_bit_cast(T, C(Operation::call(__builtin_bit_cast(C, value), rest...)));
  }
}

template <typename T>
T shuffle(T value, uint source) {
  return across<shuffle_lanes>(value, source);
}

inline uint this_lane() {
  uint lane = __simt_lane();
  __builtin_assume(lane < 32);
  return lane;
}
}  // namespace __simt

namespace __simt {
template <typename T>
T smaller(T a, T b) {
  if constexpr (is_float<element_of<T>>) return __builtin_elementwise_minnum(a, b);
  else return __builtin_elementwise_min(a, b);
}
template <typename T>
T larger(T a, T b) {
  if constexpr (is_float<element_of<T>>) return __builtin_elementwise_maxnum(a, b);
  else return __builtin_elementwise_max(a, b);
}
}  // namespace __simt

namespace metal {

template <typename T>
T simd_shuffle(T data, ushort lane) {
  return __simt::shuffle(data, lane);
}
template <typename T>
T simd_broadcast(T data, ushort lane) {
  return __simt::shuffle(data, lane);
}
template <typename T>
T simd_shuffle_xor(T data, ushort mask) {
  return __simt::shuffle(data, __simt::this_lane() ^ mask);
}
// Metal leaves the value undefined where the source lies outside the SIMD-group; here a lane then keeps its own.
template <typename T>
T simd_shuffle_down(T data, ushort delta) {
  uint lane = __simt::this_lane();
  return __simt::shuffle(data, lane + delta < 32 ? lane + delta : lane);
}
template <typename T>
T simd_shuffle_up(T data, ushort delta) {
  uint lane = __simt::this_lane();
  return __simt::shuffle(data, lane >= delta ? lane - delta : lane);
}
template <typename T>
T simd_shuffle_rotate_down(T data, ushort delta) {
  return __simt::shuffle(data, (__simt::this_lane() + delta) & 31);
}
template <typename T>
T simd_shuffle_rotate_up(T data, ushort delta) {
  return __simt::shuffle(data, (__simt::this_lane() - delta) & 31);
}
template <typename T>
T simd_shuffle_and_fill_down(T data, T filling, ushort delta, ushort modulo = 32) {
  uint lane = __simt::this_lane(), within = lane & (modulo - 1), source = within + delta;
  T moved = __simt::shuffle(data, (lane - within) + (source & (modulo - 1)));
  T filled = __simt::shuffle(filling, (lane - within) + (source & (modulo - 1)));
  return source < modulo ? moved : filled;
}
template <typename T>
T simd_shuffle_and_fill_up(T data, T filling, ushort delta, ushort modulo = 32) {
  uint lane = __simt::this_lane(), within = lane & (modulo - 1), source = within - delta;
  T moved = __simt::shuffle(data, (lane - within) + (source & (modulo - 1)));
  T filled = __simt::shuffle(filling, (lane - within) + (source & (modulo - 1)));
  return within >= delta ? moved : filled;
}
template <typename T>
T simd_broadcast_first(T data) {
  return __simt::shuffle(data, __builtin_ctz(__simt_ballot(true)));
}

#define SIMT_REDUCTION(name, op)                           \
  template <typename T>                                    \
  T simd_##name(T data) {                                  \
    return __simt::across<__simt::reduce_##op, T>(data);   \
  }
SIMT_REDUCTION(sum, add)
SIMT_REDUCTION(product, mul)
SIMT_REDUCTION(and, and)
SIMT_REDUCTION(or, or)
SIMT_REDUCTION(xor, xor)
#undef SIMT_REDUCTION
template <typename T>
T simd_max(T data) {
  if constexpr (__simt::is_unsigned<__simt::element_of<T>>) return __simt::across<__simt::reduce_umax, T>(data);
  else return __simt::across<__simt::reduce_max, T>(data);
}
template <typename T>
T simd_min(T data) {
  if constexpr (__simt::is_unsigned<__simt::element_of<T>>) return __simt::across<__simt::reduce_umin, T>(data);
  else return __simt::across<__simt::reduce_min, T>(data);
}
template <typename T>
T simd_prefix_inclusive_sum(T data) {
  return __simt::across<__simt::scan_inclusive_add, T>(data);
}
template <typename T>
T simd_prefix_exclusive_sum(T data) {
  return __simt::across<__simt::scan_exclusive_add, T>(data);
}
template <typename T>
T simd_prefix_inclusive_product(T data) {
  return __simt::across<__simt::scan_inclusive_mul, T>(data);
}
template <typename T>
T simd_prefix_exclusive_product(T data) {
  return __simt::across<__simt::scan_exclusive_mul, T>(data);
}

// A vote: one bit a lane. Metal counts lanes in 64 bits; a SIMD-group here has 32.
struct simd_vote {
  using vote_t = ulong;
  vote_t votes;
  explicit constexpr simd_vote(vote_t v = 0) : votes(v) {}
  explicit constexpr operator vote_t() const { return votes; }
  constexpr bool all() const { return votes == 0xFFFFFFFFul; }
  constexpr bool any() const { return votes != 0; }
};
inline simd_vote simd_ballot(bool value) { return simd_vote(__simt_ballot(value)); }
inline simd_vote simd_active_threads_mask() { return simd_vote(__simt_ballot(true)); }
inline bool simd_all(bool value) { return __simt_ballot(!value) == 0; }
inline bool simd_any(bool value) { return __simt_ballot(value) != 0; }
inline bool simd_is_first() { return __simt::this_lane() == uint(__builtin_ctz(__simt_ballot(true))); }
inline bool simd_is_helper_thread() { return false; }

// A quad is four neighbouring lanes.
template <typename T>
T quad_shuffle(T data, ushort lane) {
  return __simt::shuffle(data, (__simt::this_lane() & ~3u) + (lane & 3u));
}
template <typename T>
T quad_broadcast(T data, ushort lane) {
  return quad_shuffle(data, lane);
}
template <typename T>
T quad_shuffle_xor(T data, ushort mask) {
  return __simt::shuffle(data, __simt::this_lane() ^ (mask & 3u));
}
template <typename T>
T quad_shuffle_down(T data, ushort delta) {
  uint lane = __simt::this_lane();
  return __simt::shuffle(data, (lane & 3) + delta < 4 ? lane + delta : lane);
}
template <typename T>
T quad_shuffle_up(T data, ushort delta) {
  uint lane = __simt::this_lane();
  return __simt::shuffle(data, (lane & 3) >= delta ? lane - delta : lane);
}
template <typename T>
T quad_shuffle_rotate_down(T data, ushort delta) {
  return quad_shuffle(data, ushort(__simt::this_lane() + delta));
}
template <typename T>
T quad_shuffle_rotate_up(T data, ushort delta) {
  return quad_shuffle(data, ushort(__simt::this_lane() - delta));
}
inline uint quad_lanes(uint ballot) { return ballot >> (__simt::this_lane() & ~3u) & 15u; }
template <typename T>
T quad_broadcast_first(T data) {
  return quad_shuffle(data, ushort(__builtin_ctz(quad_lanes(__simt_ballot(true)))));
}
// Lanes that are not active do not count. Neighbours are joined first, then pairs: every lane gets the same bits.
#define SIMT_QUAD(name, ...)                                                                        \
  template <typename T>                                                                             \
  T quad_##name(T data) {                                                                           \
    auto join = [](T a, T b) -> T { return __VA_ARGS__; };                                          \
    uint lane = __simt::this_lane() & 3, active = quad_lanes(__simt_ballot(true));                  \
    T one = quad_shuffle_xor(data, 1), two = quad_shuffle_xor(data, 2), three = quad_shuffle_xor(data, 3); \
    bool with_one = active >> (lane ^ 1) & 1, with_two = active >> (lane ^ 2) & 1, with_three = active >> (lane ^ 3) & 1; \
    T mine = with_one ? join(data, one) : data;                                                     \
    T other = with_two ? (with_three ? join(two, three) : two) : three;                             \
    return with_two || with_three ? join(mine, other) : mine;                                       \
  }
SIMT_QUAD(sum, a + b)
SIMT_QUAD(product, a * b)
SIMT_QUAD(and, a & b)
SIMT_QUAD(or, a | b)
SIMT_QUAD(xor, a ^ b)
SIMT_QUAD(min, __simt::smaller(a, b))
SIMT_QUAD(max, __simt::larger(a, b))
#undef SIMT_QUAD
#define SIMT_QUAD_PREFIX(name, identity, op)                                          \
  template <typename T>                                                               \
  T quad_prefix_exclusive_##name(T data) {                                            \
    uint lane = __simt::this_lane() & 3, active = quad_lanes(__simt_ballot(true));    \
    T before = T(identity);                                                           \
    for (uint k = 1; k < 4; k++) {                                                    \
      T one = quad_shuffle_up(data, ushort(k));                                       \
      before = lane >= k && (active >> (lane - k) & 1) ? T(one op before) : before;   \
    }                                                                                 \
    return before;                                                                    \
  }                                                                                   \
  template <typename T>                                                               \
  T quad_prefix_inclusive_##name(T data) {                                            \
    return T(quad_prefix_exclusive_##name(data) op data);                             \
  }
SIMT_QUAD_PREFIX(sum, 0, +)
SIMT_QUAD_PREFIX(product, 1, *)
#undef SIMT_QUAD_PREFIX
struct quad_vote {
  using vote_t = uint;
  vote_t votes;
  explicit constexpr quad_vote(vote_t v = 0) : votes(v) {}
  explicit constexpr operator vote_t() const { return votes; }
  constexpr bool all() const { return votes == 15; }
  constexpr bool any() const { return votes != 0; }
};
inline quad_vote quad_ballot(bool value) { return quad_vote(quad_lanes(__simt_ballot(value))); }
inline quad_vote quad_active_threads_mask() { return quad_vote(quad_lanes(__simt_ballot(true))); }
inline bool quad_all(bool value) { return quad_lanes(__simt_ballot(!value)) == 0; }
inline bool quad_any(bool value) { return quad_lanes(__simt_ballot(value)) != 0; }
inline bool quad_is_first() {
  return (__simt::this_lane() & 3) == uint(__builtin_ctz(quad_lanes(__simt_ballot(true))));
}
template <typename T>
T quad_shuffle_and_fill_down(T data, T filling, ushort delta, ushort modulo = 4) {
  return simd_shuffle_and_fill_down(data, filling, delta, modulo);
}
template <typename T>
T quad_shuffle_and_fill_up(T data, T filling, ushort delta, ushort modulo = 4) {
  return simd_shuffle_and_fill_up(data, filling, delta, modulo);
}
}  // namespace metal
