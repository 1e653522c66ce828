// The usual accesses of a checked kernel, inlined into it: all 32 lanes, side by side or all in one place, in memory that
// nobody else touches meanwhile. Each function answers 1 if that is so, having counted the access; 0 sends it to
// monitor.c, having changed nothing.

#include "stamps.h"

// Grains first to first + count of a root lie inside it, and the access starts at a grain.
INLINE int inside(const Root *r, u64 offset, u64 bytes, u64 size) {
    return bytes <= r->size && offset <= r->size - bytes && offset % size == 0;
}

// ``place``: counted from the start of a line.
INLINE void count_sectors(Site *s, u64 place, u64 bytes) {
    u64 last = place + bytes - 1;
    s->spans++;
    s->sectors += last / SECTOR - place / SECTOR + 1;
    s->lines += last / LINE - place / LINE + 1;
}

INLINE u64 own_stamp(const Monitor *m, u32 space, u32 many, u32 site) {
    return stamp(m->interval[space], m->step[space][m->simdgroup], many, m->simdgroup, 0, site);
}
// One chunk of stamps, by lane from ``first`` on.
INLINE Stamps by_lane(u64 mine, u64 first) {
    const Stamps lanes = {0, 1, 2, 3, 4, 5, 6, 7};
    return mine + ((lanes + first) << LANE);
}

// Memory that the kernel never writes.
__attribute__((always_inline)) u32 span_constant(Monitor *m, u32 site, u32 root, u64 address, u64 count, u64 size, u64 align) {
    Root *r = &m->roots[root];
    u64 offset = address - r->base, bytes = count * size;
    if (!inside(r, offset, bytes, size) || (offset + r->lead) % align) return 0;
    u8 *seen = r->seen + offset / size;
    for (u64 i = 0; i < count; i++) seen[i] = 1;
    count_sectors(&m->sites[site], offset + r->lead, bytes);
    return 1;
}

// Device memory that nobody has touched so far, written by lane i at element i.
__attribute__((always_inline)) u32 span_output(Monitor *m, u32 site, u32 root, u64 address, u64 size, u64 align) {
    Root *r = &m->roots[root];
    u64 offset = address - r->base, bytes = LANES * size;
    if (!inside(r, offset, bytes, size) || (offset + r->lead) % align) return 0;
    u64 g = offset / size;
    Stamps touched = 0;
    u32 readers = 0;
    for (u64 i = 0; i < LANES; i += CHUNK) touched |= load(r->writer + g + i) | load(r->reader + g + i);
    for (u64 i = 0; i < LANES; i++) readers |= r->groups[g + i];
    if (__builtin_reduce_or(touched) || readers) return 0;
    u64 mine = own_stamp(m, DEVICE, ONE, site);
    for (u64 i = 0; i < LANES; i += CHUNK) store(r->writer + g + i, by_lane(mine, i));
    for (u64 i = 0; i < LANES; i++) r->seen[g + i] |= 2;
    count_sectors(&m->sites[site], offset + r->lead, bytes);
    return 1;
}

// Threadgroup memory written before the last barrier. ``shared``: several lanes read each element; otherwise lane i
// reads element i.
__attribute__((always_inline)) u32 span_shared_read(Monitor *m, u32 site, u32 root, u64 address, u64 count, u64 size,
                                                    u64 align, u32 shared) {
    Root *r = &m->roots[root];
    u64 offset = address - r->base;
    if (!inside(r, offset, count * size, size) || (offset + r->lead) % align) return 0;
    u64 g = offset / size, first = (u64)m->first[THREADGROUP] << INTERVAL, now = (u64)m->interval[THREADGROUP] << INTERVAL;
    u64 mine = own_stamp(m, THREADGROUP, shared ? MANY_LANES : ONE, site);
    u64 whole = count / CHUNK * CHUNK;
    Lanes bad = 0, unsettled = 0;
    for (u64 i = 0; i < whole; i += CHUNK) {
        bad |= load(r->writer + g + i) - first >= (Stamps)(now - first);
        unsettled |= ~settled(load(r->reader + g + i), now);
    }
    int one_bad = 0;
    for (u64 i = whole; i < count; i++) one_bad |= r->writer[g + i] - first >= now - first;
    if (any(bad) || one_bad) return 0;
    // Grains that several SIMD-groups have read since the barrier need not be told of one more.
    if (any(unsettled))
        for (u64 i = 0; i < whole; i += CHUNK) {
            u64 *at = r->reader + g + i;
            store(at, readers_with(load(at), shared ? (Stamps)mine : by_lane(mine, i), now));
        }
    for (u64 i = whole; i < count; i++) {
        u64 new = shared ? mine : mine + (i << LANE), old = r->reader[g + i];
        r->reader[g + i] = old < now ? new : readers_with((Stamps)old, (Stamps)new, now)[0];
    }
    m->sites[site].spans++;
    return 1;
}

// Threadgroup memory that nobody has touched since the last barrier, written by lane i at element i.
__attribute__((always_inline)) u32 span_shared_write(Monitor *m, u32 site, u32 root, u64 address, u64 size, u64 align) {
    Root *r = &m->roots[root];
    u64 offset = address - r->base;
    if (!inside(r, offset, LANES * size, size) || (offset + r->lead) % align) return 0;
    u64 g = offset / size, now = (u64)m->interval[THREADGROUP] << INTERVAL;
    Lanes bad = 0;
    for (u64 i = 0; i < LANES; i += CHUNK)
        bad |= load(r->writer + g + i) >= (Stamps)now | load(r->reader + g + i) >= (Stamps)now;
    if (any(bad)) return 0;
    u64 mine = own_stamp(m, THREADGROUP, ONE, site);
    for (u64 i = 0; i < LANES; i += CHUNK) store(r->writer + g + i, by_lane(mine, i));
    m->sites[site].spans++;
    return 1;
}

// A private array at one offset for all lanes.
__attribute__((always_inline)) u32 span_private(Monitor *m, u32 site, u32 root, u64 address, u64 size, u32 kind) {
    (void)site;
    Root *r = &m->roots[root];
    u64 offset = address - r->base;
    if (!inside(r, offset, size, size)) return 0;
    u32 *written = r->written + m->simdgroup * ((r->size + size - 1) / size) + offset / size;
    if (kind == STORE) *written = ~0u;
    return *written == ~0u;
}
