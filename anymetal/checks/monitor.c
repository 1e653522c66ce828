// The monitor: looks at every access of a checked launch before it happens, on one CPU thread, so that the same
// launch always gives the same report.
//
// Memory is a list of roots (a buffer, a threadgroup variable, a private array). A root is cut into grains, the
// smallest piece that the kernel ever accesses in it; who touched a grain last is kept as a stamp:
//
//     interval (29 bits) | step (8) | many (2) | SIMD-group (5) | lane (5) | site (15)
//
// An interval lies between two barriers of one threadgroup; numbers only grow, so an older one than the
// threadgroup's first belongs to an earlier threadgroup. A step lies between two SIMD-group barriers. "Many" says
// that other lanes of the SIMD-group (1), or other SIMD-groups (2), touched it in the same interval too. Threads are
// ordered by barriers and by nothing else: two accesses of one grain, at least one of them a write, by two threads
// with no barrier between, race.

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef long long i64;
typedef int i32;

enum { LANES = 32, SECTOR = 32, LINE = 128, BANKS = 32, WORD = 4, GROUPS = 32 };
enum Space { DEVICE, CONSTANT, THREADGROUP, PRIVATE, SPACES };
enum Kind { LOAD, STORE, ATOMIC };
enum Finding {
    OUT_OF_BOUNDS,
    RACE,
    SAME_VALUE_RACE,
    DIVERGENT_BARRIER,
    INACTIVE_LANE,
    UNINITIALISED,
    UNWRITTEN_OUTPUT,
    MISALIGNED,
    ENDLESS_LOOP
};
enum { ONE, MANY_LANES, MANY_SIMDGROUPS };
enum { NOWHERE = 0x7fff, FIRST_THREADS = 4, ALL_GROUPS = ~0u };

typedef struct {
    u64 base;     // address of the first byte (a private array: its offset in the thread's memory)
    u64 size;     // bytes
    u64 *writer;  // a stamp a grain, or null where nothing is ever written
    u64 *reader;
    u32 *groups;   // device memory: the one threadgroup that has read a grain, from 1, or ALL_GROUPS
    u8 *seen;      // a byte a grain: 1 read, 2 written
    u32 *written;  // private arrays: a bit a lane, for each SIMD-group and grain
    u32 grain;     // bytes
    u8 space;
    u8 unset;      // what it holds before it is written means nothing
} Root;

typedef struct {
    i32 root;  // -1: to be found by the address
    u16 size;  // bytes of one lane's access
    u16 align;
    u8 kind;
    u8 space;
    u64 accesses, lanes, unique_bytes, sectors, lines, conflicts;
} Site;

typedef struct {
    u32 kind, site, other_site, count;
    i32 root;
    i64 index;  // byte offset in the root
    struct {
        u32 group, simdgroup, lane;
    } threads[FIRST_THREADS], other;
    u32 other_group_known;
} Record;

typedef struct {
    u64 runs, lanes;
} Block;

typedef struct {
    Root *roots;
    Site *sites;
    Block *blocks;
    Record *records;
    u32 root_count, site_count, record_count, record_limit;
    i64 budget;       // back edges that a SIMD-group may take
    i64 budget_left;
    u32 aborted;
    u32 group, simdgroup;         // who is running
    u32 interval[SPACES];         // of this threadgroup, now, by address space
    u32 first[SPACES];            // its first
    u32 step[SPACES][GROUPS];     // SIMD-group barriers so far in this interval
    u32 started[GROUPS];          // the lanes that a SIMD-group began with
    u32 stopped_at[GROUPS];       // the barrier it stands at
    u32 stop_flags;               // memory flags that all barriers of this round have
} Monitor;

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

// -- stamps -------------------------------------------------------------------------------------------------------

static u64 stamp(u32 interval, u32 step, u32 many, u32 simdgroup, u32 lane, u32 site) {
    return (u64)interval << 35 | (u64)(step & 255) << 27 | (u64)many << 25 | simdgroup << 20 | lane << 15 | site;
}
static u32 interval_of(u64 s) { return (u32)(s >> 35); }
static u32 step_of(u64 s) { return (u32)(s >> 27) & 255; }
static u32 many_of(u64 s) { return (u32)(s >> 25) & 3; }
static u32 simdgroup_of(u64 s) { return (u32)(s >> 20) & 31; }
static u32 lane_of(u64 s) { return (u32)(s >> 15) & 31; }
static u32 site_of(u64 s) { return (u32)s & NOWHERE; }

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

static int equal(const u8 *a, const u8 *b, u32 size) {
    for (u32 i = 0; i < size; i++)
        if (a[i] != b[i]) return 0;
    return 1;
}

// One lane's access to grains that lie inside the root. ``value`` is what a store will write, or null.
static void touch(Monitor *m, u32 number, Site *site, Root *root, i32 index, u64 offset, u32 lane, const u8 *value) {
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
    int reported = 0;
    for (u64 g = first; g <= last; g++) {
        u64 writer = root->writer[g], reader = root->reader[g];
        if (site->kind != STORE && root->unset && interval_of(writer) < (space == DEVICE ? 1 : m->first[space])) {
            if (!reported) record(m, UNINITIALISED, number, NOWHERE, index, (i64)offset, lane);
            reported = 1;
        }
        int both_atomic = site->kind == ATOMIC && m->sites[site_of(writer)].kind == ATOMIC;
        if (!reported && !both_atomic && unordered(m, space, writer, lane)) {
            int same = site->kind == STORE && value && m->sites[site_of(writer)].kind == STORE &&
                       equal(value, (const u8 *)root->base + offset, site->size);
            race(m, number, writer, index, (i64)offset, lane, same);
            reported = 1;
        }
        if (site->kind == LOAD) {
            int now = interval_of(reader) == interval && unordered(m, space, reader, lane);
            if (!now)
                root->reader[g] = mine;
            else if (many_of(reader) != MANY_SIMDGROUPS)
                root->reader[g] = stamp(interval, step, simdgroup_of(reader) == m->simdgroup ? MANY_LANES : MANY_SIMDGROUPS,
                                        m->simdgroup, lane, number);
            if (root->groups && root->groups[g] != m->group + 1)
                root->groups[g] = root->groups[g] ? ALL_GROUPS : m->group + 1;
            continue;
        }
        int atomic_reader = site->kind == ATOMIC && m->sites[site_of(reader)].kind == ATOMIC;
        int elsewhere = root->groups && root->groups[g] && root->groups[g] != m->group + 1;
        if (!reported && !atomic_reader && (elsewhere || unordered(m, space, reader, lane))) {
            race(m, number, reader, index, (i64)offset, lane, 0);
            reported = 1;
        }
        root->writer[g] = mine;
    }
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

static i32 root_at(Monitor *m, u32 space, u64 address) {
    i32 nearest = -1;
    for (u32 i = 0; i < m->root_count; i++) {
        Root *r = &m->roots[i];
        int fits = r->space == space || (space == DEVICE && r->space == CONSTANT);
        if (fits && address >= r->base && (nearest < 0 || r->base > m->roots[nearest].base)) nearest = (i32)i;
    }
    return nearest;
}

// The lanes that may go on with an access. ``values`` holds ``size`` bytes a lane, or is null.
u32 monitor_access(Monitor *m, u32 number, const u64 *address, u32 mask, const u8 *values) {
    Site *site = &m->sites[number];
    u32 allowed = 0;
    for (u32 rest = mask; rest; rest &= rest - 1) {
        u32 lane = (u32)__builtin_ctz(rest);
        i32 index = site->root >= 0 ? site->root : root_at(m, site->space, address[lane]);
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
        if (address[lane] % site->align) record(m, MISALIGNED, number, NOWHERE, index, (i64)offset, lane);
        allowed |= 1u << lane;
        touch(m, number, site, root, index, offset, lane, values ? values + lane * site->size : 0);
    }
    if (site->space != PRIVATE) traffic(site, address, allowed);
    return allowed;
}

// The same where all lanes use one address.
u32 monitor_uniform(Monitor *m, u32 number, u64 address, u32 mask) {
    u64 all[LANES];
    for (u32 lane = 0; lane < LANES; lane++) all[lane] = address;
    return monitor_access(m, number, all, mask, 0);
}

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
