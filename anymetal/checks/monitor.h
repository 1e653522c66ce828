// The monitor's state: shared by monitor.c, by span.c, which is inlined into kernels, and by state.py.
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

#pragma once

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
    u64 *plain;    // device memory used by atomics: the last stamp of a plain write
    u32 grain;     // bytes
    u8 space;
    u8 unset;      // what it holds before it is written means nothing
    u16 lead;      // where in a line it starts; buffers of a GPU start lines, wherever they lie here
} Root;

typedef struct {
    i32 root;  // -1: to be found by the address
    u16 size;  // bytes of one lane's access
    u16 align;
    u8 kind;    // of an atomic load or store too
    u8 space;
    u8 atomic;
    u8 parts;   // scalars of one lane, all of one size and without gaps; 0: it has others
    u64 candidates;  // where the root is to be found: a bit a root, for the first 64
    u64 accesses, lanes, unique_bytes, sectors, lines, conflicts;
    u64 spans;  // accesses of all lanes that span.c has let through
    u64 stride, stride_conflicts;  // a matrix's last row length, and the bank conflicts that it makes
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
    u64 full, parted, lanes;  // runs with all lanes, runs with some, and how many those were
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
    void (*ran)(u32 group, u32 simdgroup);  // told whenever a SIMD-group stops or ends, if anyone asks
} Monitor;

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
