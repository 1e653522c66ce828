// What one SIMD-group of one threadgroup does, written down as it happens: records of a head and some bytes.

typedef unsigned char u8;
typedef unsigned int u32;
typedef unsigned long long u64;

enum { STEP };

typedef struct {
    u32 group[3], simdgroup;  // who is followed
    u32 steps, step_limit;
    u64 used, limit;          // bytes of data
    u8 *data;
    u32 full;                 // something did not fit any more
} Trace;

typedef struct {
    u32 kind, id, mask, bytes;
} Head;

void trace_record(Trace *t, u32 simdgroup, u32 x, u32 y, u32 z, u32 kind, u32 id, u32 mask,
                  const u8 *from, u32 bytes) {
    Head head = {kind, id, mask, bytes};
    if (t->full || simdgroup != t->simdgroup || x != t->group[0] || y != t->group[1] || z != t->group[2]) return;
    u64 end = t->used + sizeof(Head) + head.bytes;
    if (end > t->limit || (head.kind == STEP && t->steps == t->step_limit)) {
        t->full = 1;
        return;
    }
    t->steps += head.kind == STEP;
    u8 *to = t->data + t->used;
    const u8 *words = (const u8 *)&head;
    for (u32 i = 0; i < sizeof(Head); i++) *to++ = words[i];
    for (u32 i = 0; i < head.bytes; i++) *to++ = from[i];
    t->used = end;
}
