// Eight stamps at a time: what spans and matrices have in common.

#pragma once

#include "monitor.h"

#define INLINE static inline __attribute__((always_inline))

typedef u64 Stamps __attribute__((ext_vector_type(8)));
typedef __typeof__((Stamps)0 < (Stamps)0) Lanes;

enum { CHUNK = 8, STEP = 27, MANY = 25, SIMDGROUP = 20, LANE = 15, INTERVAL = 35 };

INLINE Stamps load(const u64 *p) {
    Stamps v;
    __builtin_memcpy(&v, p, sizeof v);
    return v;
}
INLINE void store(u64 *p, Stamps v) { __builtin_memcpy(p, &v, sizeof v); }
INLINE int any(Lanes v) { return __builtin_reduce_or(v) != 0; }

// Which grains several SIMD-groups have read in the interval that starts at ``now``.
INLINE Lanes settled(Stamps reader, u64 now) {
    return reader >= (Stamps)now & (reader >> MANY & 3) == MANY_SIMDGROUPS;
}

// The readers of eight grains once those of ``new`` are among them (see ``with_reader`` in monitor.c).
INLINE Stamps readers_with(Stamps old, Stamps new, u64 now) {
    Stamps differ = old ^ new, plain = new & ~(Stamps)(3ull << MANY);
    Lanes current = old >= (Stamps)now;
    Lanes elsewhere = (differ >> SIMDGROUP & 31) != 0 | (old >> MANY & 3) == MANY_SIMDGROUPS;
    Lanes same_step = (differ >> STEP & 255) == 0;
    Lanes another = (differ >> LANE & 31) != 0 | (old >> MANY & 3) != 0;
    new = current & same_step & another ? plain | (u64)MANY_LANES << MANY : new;
    return current & elsewhere ? plain | (u64)MANY_SIMDGROUPS << MANY : new;
}
