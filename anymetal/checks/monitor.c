// The monitor: looks at every access of a checked launch before it happens, on one CPU thread, so that the same
// launch always gives the same report. This is the part that any access may take; see span.c for the usual ones.

#include "stamps.h"

// -- findings -----------------------------------------------------------------------------------------------------

static Record *record(Monitor *m, u32 kind, u32 site, u32 other_site, i32 root, i64 index, u32 lane) {
    Record *r = m->records;
    for (u32 i = 0; i < m->record_count; i++, r++) {
        if (r->kind == kind && r->site == site && r->other_site == other_site && r->root == root) {
            if (r->count < FIRST_THREADS) {
                r->threads[r->count].group = m->group;
                r->threads[r->count].simdgroup = m->simdgroup;
                r->threads[r->count].lane = lane;
            }
            r->count++;
            return 0;
        }
    }
    if (m->record_count == m->record_limit) return 0;
    m->record_count++;
    r->kind = kind;
    r->site = site;
    r->other_site = other_site;
    r->count = 1;
    r->root = root;
    r->index = index;
    r->threads[0].group = m->group;
    r->threads[0].simdgroup = m->simdgroup;
    r->threads[0].lane = lane;
    return r;
}

// Whether the thread now running has no barrier between it and the access that left this stamp.
static int unordered(const Monitor *m, u32 space, u64 s, u32 lane) {
    if (!s) return 0;
    u32 interval = interval_of(s);
    if (interval < m->first[space]) return space == DEVICE;  // another threadgroup: nothing orders device memory
    if (interval != m->interval[space]) return 0;
    if (many_of(s) == MANY_SIMDGROUPS || simdgroup_of(s) != m->simdgroup) return 1;
    if (step_of(s) != (m->step[space][m->simdgroup] & 255)) return 0;
    return many_of(s) || lane_of(s) != lane;
}

static void race(Monitor *m, u32 site, u64 s, i32 root, i64 index, u32 lane, int same) {
    Record *r = record(m, same ? SAME_VALUE_RACE : RACE, site, site_of(s), root, index, lane);
    if (!r) return;
    r->other_group_known = interval_of(s) >= m->first[m->sites[site].space];
    r->other.group = m->group;
    r->other.simdgroup = simdgroup_of(s);
    r->other.lane = lane_of(s);
}

// One access of a SIMD-group. ``values``: what a store will write, scalar by scalar, 32 lanes of each; or null.
// ``done``: the lanes already looked at.
typedef struct {
    const u64 *address;
    const u8 *values;
    u32 done;
} Access;

static u8 value_byte(const Site *site, const Access *a, u32 lane, u64 byte) {
    u64 size = site->size / site->parts;
    return a->values[(byte / size * LANES + lane) * size + byte % size];
}

// Whether a store leaves in a grain what the writer of the stamp has left there, or will when this access is done.
static int same_bytes(const Monitor *m, u32 number, const Root *root, const Access *a, u64 offset, u64 g, u32 lane, u64 s) {
    const Site *site = &m->sites[number];
    u32 other = lane_of(s);
    u64 theirs = a->address[other] - root->base;
    int together = site_of(s) == number && simdgroup_of(s) == m->simdgroup && interval_of(s) == m->interval[root->space] &&
                   a->done >> other & 1 && theirs <= g * root->grain && g * root->grain < theirs + site->size;
    for (u64 at = g * root->grain; at < (g + 1) * root->grain; at++) {
        if (at < offset || at >= offset + site->size) continue;
        u8 there = ((const u8 *)root->base)[at];
        if (together) {
            if (at < theirs || at >= theirs + site->size) continue;
            there = value_byte(site, a, other, at - theirs);
        }
        if (value_byte(site, a, lane, at - offset) != there) return 0;
    }
    return 1;
}

// The stamp of a grain's readers, once this lane is among them.
static u64 with_reader(const Monitor *m, u32 space, u64 reader, u64 mine, u32 lane, u32 site) {
    if (interval_of(reader) != m->interval[space] || !unordered(m, space, reader, lane)) return mine;
    if (many_of(reader) == MANY_SIMDGROUPS) return reader;
    u32 many = simdgroup_of(reader) == m->simdgroup ? MANY_LANES : MANY_SIMDGROUPS;
    return stamp(m->interval[space], m->step[space][m->simdgroup], many, m->simdgroup, lane, site);
}

// One lane's access to grains that lie inside the root.
static void touch(Monitor *m, u32 number, Site *site, Root *root, i32 index, u64 offset, u32 lane, const Access *access) {
    u64 first = offset / root->grain, last = (offset + site->size - 1) / root->grain;
    u32 space = root->space;
    if (space == PRIVATE) {
        u64 grains = (root->size + root->grain - 1) / root->grain;
        u32 *written = root->written + m->simdgroup * grains;
        for (u64 g = first; g <= last; g++) {
            if (site->kind == STORE)
                written[g] |= 1u << lane;
            else if (!(written[g] >> lane & 1)) {
                record(m, UNINITIALISED, number, NOWHERE, index, (i64)offset, lane);
                return;
            }
        }
        return;
    }
    if (root->seen)
        for (u64 g = first; g <= last; g++) root->seen[g] |= site->kind == LOAD ? 1 : site->kind == STORE ? 2 : 3;
    if (!root->writer) return;
    u32 interval = m->interval[space], step = m->step[space][m->simdgroup];
    u64 mine = stamp(interval, step, 0, m->simdgroup, lane, number);
    u64 racing = 0;  // the first stamp of a write with which this one races
    int reported = 0, same = site->kind == STORE && access->values && site->parts;
    for (u64 g = first; g <= last; g++) {
        u64 writer = root->writer[g], reader = root->reader[g];
        if (site->kind != STORE && root->unset && interval_of(writer) < (space == DEVICE ? 1 : m->first[space])) {
            if (!reported) record(m, UNINITIALISED, number, NOWHERE, index, (i64)offset, lane);
            reported = 1;
        }
        int both_atomic = site->atomic && m->sites[site_of(writer)].atomic;
        if (both_atomic && root->plain && root->plain[g] && interval_of(root->plain[g]) < m->first[space]) {
            writer = root->plain[g];  // written plainly by another threadgroup, before atomics came over it
            both_atomic = 0;
        }
        if (!both_atomic && unordered(m, space, writer, lane)) {
            if (!racing) racing = writer;
            same = same && m->sites[site_of(writer)].kind == STORE && same_bytes(m, number, root, access, offset, g, lane, writer);
        }
        if (site->kind == LOAD) {
            root->reader[g] = with_reader(m, space, reader, mine, lane, number);
            if (root->groups && root->groups[g] != m->group + 1)
                root->groups[g] = root->groups[g] ? ALL_GROUPS : m->group + 1;
            continue;
        }
        int atomic_reader = site->atomic && m->sites[site_of(reader)].atomic;
        int elsewhere = root->groups && root->groups[g] && root->groups[g] != m->group + 1;
        if (!reported && !racing && !atomic_reader && (elsewhere || unordered(m, space, reader, lane))) {
            race(m, number, reader, index, (i64)offset, lane, 0);
            reported = 1;
        }
        root->writer[g] = mine;
        if (root->plain && !site->atomic) root->plain[g] = mine;
    }
    if (racing && !reported) race(m, number, racing, index, (i64)offset, lane, same);
}

// -- traffic ------------------------------------------------------------------------------------------------------

// What the memory system does for one access of a SIMD-group: addresses in lane order, each of ``size`` bytes.
static void traffic(Site *site, const u64 *address, u32 mask) {
    u64 sectors[2 * LANES], words[4 * LANES], seen[LANES];
    u32 sector_count = 0, line_count = 0, unique = 0, word_count = 0;
    u64 highest = 0;
    int any = 0;
    site->accesses++;
    site->lanes += (u32)__builtin_popcount(mask);
    for (u32 rest = mask; rest; rest &= rest - 1) {
        u64 a = address[__builtin_ctz(rest)];
        int known = 0;
        if (any && a <= highest)
            for (u32 i = unique; i-- > 0 && !known;) known = seen[i] == a;
        if (known) continue;
        if (!any || a > highest) highest = a;
        any = 1;
        seen[unique++] = a;
        if (site->space == THREADGROUP) {
            for (u64 w = a / WORD; w <= (a + site->size - 1) / WORD && word_count < 4 * LANES; w++) {
                int have = 0;
                for (u32 i = word_count; i-- > 0 && !have;) have = words[i] == w;
                if (!have) words[word_count++] = w;
            }
            continue;
        }
        for (u64 s = a / SECTOR; s <= (a + site->size - 1) / SECTOR && sector_count < 2 * LANES; s++) {
            int have = 0, have_line = 0;
            for (u32 i = sector_count; i-- > 0 && !have;) {
                have = sectors[i] == s;
                have_line |= sectors[i] / (LINE / SECTOR) == s / (LINE / SECTOR);
            }
            if (!have) {
                sectors[sector_count++] = s;
                line_count += !have_line;
            }
        }
    }
    site->unique_bytes += (u64)unique * site->size;
    site->sectors += sector_count;
    site->lines += line_count;
    if (word_count) {
        u32 bank[BANKS] = {0}, most = 0, least = (word_count + BANKS - 1) / BANKS;
        for (u32 i = 0; i < word_count; i++) {
            u32 n = ++bank[words[i] % BANKS];
            most = n > most ? n : most;
        }
        site->conflicts += most - least;
    }
}

// -- called by the kernel -----------------------------------------------------------------------------------------

// The root, among those that a pointer may lead to, in which an address lies, or the nearest.
static i32 root_at(const Monitor *m, const Site *site, u64 address) {
    i32 nearest = -1;
    u64 least = ~0ull;
    for (u32 i = 0; i < m->root_count; i++) {
        const Root *r = &m->roots[i];
        int fits = i < 64 ? site->candidates >> i & 1 : r->space == site->space;
        u64 offset = address - r->base, before = r->base - address;
        u64 far = offset < r->size ? 0 : 1 + (address >= r->base ? offset - r->size : before);
        if (fits && far < least) {
            nearest = (i32)i;
            least = far;
        }
    }
    return nearest;
}

// The lanes that may go on with an access. ``values`` as in ``Access``.
u32 monitor_access(Monitor *m, u32 number, const u64 *address, u32 mask, const u8 *values) {
    Site *site = &m->sites[number];
    u32 allowed = 0;
    u64 place[LANES];
    Access access = {address, values, 0};
    for (u32 rest = mask; rest; rest &= rest - 1) {
        u32 lane = (u32)__builtin_ctz(rest);
        i32 index = site->root >= 0 ? site->root : root_at(m, site, address[lane]);
        if (index < 0) {
            record(m, OUT_OF_BOUNDS, number, NOWHERE, -1, (i64)address[lane], lane);
            continue;
        }
        Root *root = &m->roots[index];
        u64 offset = address[lane] - root->base;
        if (root->size < site->size || offset > root->size - site->size) {
            record(m, OUT_OF_BOUNDS, number, NOWHERE, index, (i64)offset, lane);
            continue;
        }
        place[lane] = offset + root->lead + ((u64)index << 48);
        if (place[lane] % site->align) record(m, MISALIGNED, number, NOWHERE, index, (i64)offset, lane);
        allowed |= 1u << lane;
        touch(m, number, site, root, index, offset, lane, &access);
        access.done |= 1u << lane;
    }
    if (site->space != PRIVATE) traffic(site, place, allowed);
    return allowed;
}

// The same where all lanes use one address.
u32 monitor_uniform(Monitor *m, u32 number, u64 address, u32 mask) {
    u64 all[LANES];
    for (u32 lane = 0; lane < LANES; lane++) all[lane] = address;
    return monitor_access(m, number, all, mask, 0);
}

// -- 8×8 matrices ---------------------------------------------------------------------------------------------------

enum { SIDE = 8 };

// The lanes that hold a row's eight elements (see simt/matrix.py).
static Stamps holders(u32 row) {
    const Stamps first = {0, 0, 1, 1, 8, 8, 9, 9};
    return first + ((row & 4) << 2 | (row & 3) << 1);
}

// Whether a row of a matrix can be read or written with nothing to report: nobody else touches it meanwhile.
static int row_is_free(const Monitor *m, const Root *r, u64 g, u32 kind) {
    u32 space = r->space;
    if (!r->writer) return kind == LOAD;
    u64 first = (u64)m->first[space] << INTERVAL, now = (u64)m->interval[space] << INTERVAL;
    Stamps writer = load(r->writer + g), reader = load(r->reader + g);
    if (space != DEVICE)
        return !any(kind == LOAD ? writer - first >= (Stamps)(now - first) : writer >= (Stamps)now | reader >= (Stamps)now);
    u32 groups = 0;
    for (u32 c = 0; c < SIDE; c++) groups |= r->groups[g + c];
    return kind == STORE && !groups && !__builtin_reduce_or(writer | reader);
}

// A whole matrix, row by row, by all lanes: 1 if nothing is to be reported, having counted it; 0 having done nothing.
u32 monitor_matrix(Monitor *m, u32 number, u32 root, u64 address, u64 stride, u32 size) {
    Site *site = &m->sites[number];
    Root *r = &m->roots[root];
    u64 row_bytes = SIDE * size, step = stride * size, offset = address - r->base;
    if (r->grain != size || offset % size || r->lead % size || stride < SIDE || stride > r->size) return 0;
    u64 extent = (SIDE - 1) * step + row_bytes;
    if (extent > r->size || offset > r->size - extent) return 0;
    u64 g = offset / size;
    for (u32 row = 0; row < SIDE; row++)
        if (!row_is_free(m, r, g + row * stride, site->kind)) return 0;
    u32 space = r->space;
    u64 now = (u64)m->interval[space] << INTERVAL;
    u64 own = stamp(m->interval[space], m->step[space][m->simdgroup], ONE, m->simdgroup, 0, number);
    for (u32 row = 0; row < SIDE; row++) {
        u64 at = g + row * stride;
        if (r->seen)
            for (u32 c = 0; c < SIDE; c++) r->seen[at + c] |= site->kind == LOAD ? 1 : 2;
        if (!r->writer) continue;
        Stamps mine = own + (holders(row) << LANE);
        if (site->kind == STORE)
            store(r->writer + at, mine);
        else
            store(r->reader + at, readers_with(load(r->reader + at), mine, now));
    }
    site->accesses++;
    site->lanes += LANES;
    site->unique_bytes += SIDE * row_bytes;
    if (space == THREADGROUP) {
        if (site->stride != stride) {
            u32 bank[BANKS] = {0}, most = 0, words = 0;
            for (u32 row = 0; row < SIDE; row++)
                for (u64 w = row * step / WORD; w <= (row * step + row_bytes - 1) / WORD; w++, words++) {
                    u32 n = ++bank[w % BANKS];
                    most = n > most ? n : most;
                }
            site->stride = stride;
            site->stride_conflicts = most - (words + BANKS - 1) / BANKS;
        }
        site->conflicts += site->stride_conflicts;
        return 1;
    }
    u64 last_sector = ~0ull, last_line = ~0ull;
    for (u32 row = 0; row < SIDE; row++) {
        u64 from = offset + r->lead + row * step, to = from + row_bytes - 1;
        site->sectors += to / SECTOR - from / SECTOR + (from / SECTOR != last_sector);
        site->lines += to / LINE - from / LINE + (from / LINE != last_line);
        last_sector = to / SECTOR;
        last_line = to / LINE;
    }
    return 1;
}

// -- other threads ----------------------------------------------------------------------------------------------------

// A lane takes the value of another, which must be active.
void monitor_shuffle(Monitor *m, u32 number, const u32 *source, u32 mask) {
    for (u32 rest = mask; rest; rest &= rest - 1) {
        u32 lane = (u32)__builtin_ctz(rest);
        if (!(mask >> (source[lane] & (LANES - 1)) & 1))
            record(m, INACTIVE_LANE, number, NOWHERE, -1, source[lane], lane);
    }
}

void monitor_simdgroup_barrier(Monitor *m, u32 flags) {
    if (flags & 1) m->step[DEVICE][m->simdgroup]++;
    if (flags & 2) m->step[THREADGROUP][m->simdgroup]++;
}

// A SIMD-group stops at a barrier with these lanes.
void monitor_barrier(Monitor *m, u32 number, u32 mask, u32 flags) {
    u32 missing = m->started[m->simdgroup] & ~mask;
    for (; missing; missing &= missing - 1)
        record(m, DIVERGENT_BARRIER, number, NOWHERE, -1, 0, (u32)__builtin_ctz(missing));
    m->stopped_at[m->simdgroup] = number;
    m->stop_flags &= flags;
}

// The budget of back edges is used up.
void monitor_endless(Monitor *m, u32 number, u32 mask) {
    record(m, ENDLESS_LOOP, number, NOWHERE, -1, 0, mask ? (u32)__builtin_ctz(mask) : 0);
    m->aborted = 1;
}

// -- the launch ---------------------------------------------------------------------------------------------------

typedef i32 Simdgroup(i64 *, u8 *, u8 *, u32, u32, u32, u32, u32, u32, u32, u32, u32);

static void clear_private(Monitor *m, u32 simdgroups) {
    for (u32 i = 0; i < m->root_count; i++) {
        Root *r = &m->roots[i];
        if (r->space != PRIVATE) continue;
        u64 grains = (r->size + r->grain - 1) / r->grain;
        for (u64 g = 0; g < grains * simdgroups; g++) r->written[g] = 0;
    }
}

static void next_interval(Monitor *m, u32 space) {
    m->interval[space]++;
    for (u32 i = 0; i < GROUPS; i++) m->step[space][i] = 0;
}

// Runs every threadgroup, one after the other, SIMD-groups in turn between barriers.
void monitor_run(i64 *launch, u8 *scratch, Simdgroup *whole, Simdgroup *ragged, u64 frame) {
    Monitor *m = (Monitor *)launch[14];
    u32 grid[3], size[3], groups[3];
    for (u32 i = 0; i < 3; i++) {
        grid[i] = (u32)launch[3 + i];
        size[i] = (u32)launch[6 + i];
        groups[i] = (u32)launch[9 + i];
    }
    u8 *threadgroup = scratch + launch[12];
    for (u32 n = 0; n < launch[1] && !m->aborted; n++) {
        u32 g[3] = {n % groups[0], n / groups[0] % groups[1], n / groups[0] / groups[1]}, s[3];
        int cut = 0;
        for (u32 i = 0; i < 3; i++) {
            u32 rest = grid[i] - g[i] * size[i];
            s[i] = rest < size[i] ? rest : size[i];
            cut |= s[i] != size[i];
        }
        u32 threads = s[0] * s[1] * s[2], simdgroups = (threads + LANES - 1) / LANES;
        for (i64 i = 0; i < launch[13]; i++) threadgroup[i] = 0xff;
        clear_private(m, simdgroups);
        m->group = n;
        for (u32 space = 0; space < SPACES; space++) {
            next_interval(m, space);
            m->first[space] = m->interval[space];
        }
        u32 state[GROUPS] = {0};
        int going = 1, begun = 0;
        while (going && !m->aborted) {
            going = 0;
            m->stop_flags = ~0u;
            u32 ended = 0;
            for (u32 i = 0; i < simdgroups && !m->aborted; i++) {
                if (begun && !state[i]) continue;
                u32 left = threads - i * LANES, active = left < LANES ? left : LANES;
                m->simdgroup = i;
                if (!begun) {
                    m->started[i] = active == LANES ? ~0u : (1u << active) - 1;
                    m->budget_left = m->budget;
                }
                Simdgroup *run = cut && ragged ? ragged : whole;
                state[i] = (u32)run(launch, scratch + i * frame, threadgroup, i, g[0], g[1], g[2], s[0], s[1], s[2],
                                    active, state[i]);
                if (m->ran) m->ran(n, i);
                going |= state[i] != 0;
                ended |= (u32)!state[i] << i;
            }
            begun = 1;
            if (going) {
                // Those that ended miss the barrier at which the others stand; others may stand at another one.
                u32 barrier = NOWHERE;
                for (u32 i = 0; i < simdgroups; i++) {
                    if (!state[i]) continue;
                    if (barrier == NOWHERE) barrier = m->stopped_at[i];
                    if (m->stopped_at[i] != barrier) {
                        m->simdgroup = i;
                        record(m, DIVERGENT_BARRIER, barrier, m->stopped_at[i], -1, 0, 0);
                    }
                }
                for (u32 i = 0; i < simdgroups; i++)
                    if (ended >> i & 1) {
                        m->simdgroup = i;
                        record(m, DIVERGENT_BARRIER, barrier, NOWHERE, -1, 0, 0);
                    }
                if (m->stop_flags & 1) next_interval(m, DEVICE);
                if (m->stop_flags & 2) next_interval(m, THREADGROUP);
            }
        }
    }
}
