// Helpers that take a share of launches: threads that sleep in pool_serve, woken by pool_run. In C, because a thread
// that must first have Python's interpreter wakes 20 times as slowly, and keeps the caller waiting at the end.
//
// It is compiled without a C library's headers: what it takes from POSIX is declared here.

typedef __SIZE_TYPE__ usize;
typedef __INT64_TYPE__ i64;
typedef __INT32_TYPE__ i32;

typedef struct {
    _Alignas(64) char opaque[128];  // pthread_mutex_t takes 64 bytes at most, on macOS
} Mutex;
typedef struct {
    _Alignas(64) char opaque[128];  // pthread_cond_t takes 48
} Condition;
typedef struct {
    long seconds, nanoseconds;
} Time;

int pthread_mutex_init(Mutex *, const void *);
int pthread_mutex_lock(Mutex *);
int pthread_mutex_unlock(Mutex *);
int pthread_cond_init(Condition *, const void *);
int pthread_cond_wait(Condition *, Mutex *);
int pthread_cond_signal(Condition *);
int pthread_cond_broadcast(Condition *);
int posix_memalign(void **, usize, usize);
void free(void *);
int clock_gettime(int, Time *);

#ifdef __APPLE__
enum { MONOTONIC = 6 };
#else
enum { MONOTONIC = 1 };
#endif

enum { ALIGN = 128, KEEP = 4 << 20, SPIN_NS = 50000, PAUSES = 32 };

typedef void Entry(i64 *block, void *scratch);

// One launch. It lives in its caller's frame: nobody may touch it once it is off the list and ``active`` is 0.
typedef struct Job {
    Entry *entry;
    i64 *block;
    usize scratch;  // bytes a worker
    i64 wanted;     // helpers that may still begin
    i64 active;     // helpers at work; changed under the lock, read without it
    struct Job *next, **link;
} Job;

typedef struct {
    Mutex lock;
    Condition work;  // some job wants helpers
    Condition done;  // some job has no helper any more
    Job *first, **last;
    i64 waiting;  // callers that wait for ``done``
} Pool;

// -- helpers ------------------------------------------------------------------------------------------------------

static Job *wanting(Pool *pool) {
    Job *job = pool->first;
    while (job && !job->wanted) job = job->next;
    return job;
}

// Wakes two: those wake two each, if more are wanted, so that many are awake soon and no thread pays for all.
static void wake(Pool *pool, i64 wanted) {
    for (i32 i = 0; i < 2 && i < wanted; i++) pthread_cond_signal(&pool->work);
}

// A helper's own memory, kept from job to job.
typedef struct {
    void *memory;
    usize size;
} Scratch;

static void drop(Scratch *own) {
    free(own->memory);
    own->memory = 0;
    own->size = 0;
}

static int take(Scratch *own, usize size) {
    if (own->size >= size) return 1;
    drop(own);
    if (posix_memalign(&own->memory, ALIGN, size)) {
        own->memory = 0;
        return 0;
    }
    own->size = size;
    return 1;
}

// What a helper thread does for ever.
void pool_serve(Pool *pool) {
    Scratch own = {0, 0};
    pthread_mutex_lock(&pool->lock);
    for (;;) {
        Job *job;
        while (!(job = wanting(pool))) pthread_cond_wait(&pool->work, &pool->lock);
        i64 more = --job->wanted;
        job->active++;
        pthread_mutex_unlock(&pool->lock);

        wake(pool, more);
        // Where there is no memory, the others do it without this one.
        if (take(&own, job->scratch)) job->entry(job->block, own.memory);
        if (own.size > KEEP) drop(&own);

        pthread_mutex_lock(&pool->lock);
        i64 active = job->active - 1;
        __atomic_store_n(&job->active, active, __ATOMIC_RELEASE);  // from here on the job may be gone
        if (!active && pool->waiting) pthread_cond_broadcast(&pool->done);
    }
}

// -- callers ------------------------------------------------------------------------------------------------------

usize pool_bytes(void) { return sizeof(Pool); }

// ``pool``: pool_bytes() bytes, at a multiple of 128, that are never freed. Not 0: POSIX has refused.
int pool_init(Pool *pool) {
    pool->first = 0;
    pool->last = &pool->first;
    pool->waiting = 0;
    return pthread_mutex_init(&pool->lock, 0) || pthread_cond_init(&pool->work, 0) ||
           pthread_cond_init(&pool->done, 0);
}

static void post(Pool *pool, Job *job) {
    pthread_mutex_lock(&pool->lock);
    job->next = 0;
    job->link = pool->last;
    *pool->last = job;
    pool->last = &job->next;
    pthread_mutex_unlock(&pool->lock);
}

// Turns late helpers away.
static void close(Pool *pool, Job *job) {
    pthread_mutex_lock(&pool->lock);
    *job->link = job->next;
    if (job->next)
        job->next->link = job->link;
    else
        pool->last = job->link;
    pthread_mutex_unlock(&pool->lock);
}

static i64 active(const Job *job) { return __atomic_load_n(&job->active, __ATOMIC_ACQUIRE); }

static i64 now(void) {
    Time t;
    clock_gettime(MONOTONIC, &t);
    return t.seconds * 1000000000ll + t.nanoseconds;
}

static void pause(void) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __builtin_arm_yield();
#endif
}

// Helpers end at nearly the same time as the caller, so it looks for a while: to sleep and wake takes longer. But not
// for ever: a helper may have lost its CPU to others.
static int ended_soon(const Job *job) {
    for (i64 until = now() + SPIN_NS; active(job);) {
        for (i32 i = 0; i < PAUSES && active(job); i++) pause();
        if (now() > until) return !active(job);
    }
    return 1;
}

// Runs ``entry`` here, and at the same time on as many of the pool's threads as are free, ``helpers`` at most.
// Returns once all that began have ended. ``scratch``: this thread's memory, of ``bytes`` bytes.
void pool_run(Pool *pool, Entry *entry, i64 *block, void *scratch, usize bytes, i64 helpers) {
    Job job = {.entry = entry, .block = block, .scratch = bytes, .wanted = helpers};
    post(pool, &job);
    wake(pool, helpers);
    entry(block, scratch);
    close(pool, &job);
    if (ended_soon(&job)) return;
    pthread_mutex_lock(&pool->lock);
    pool->waiting++;
    while (active(&job)) pthread_cond_wait(&pool->done, &pool->lock);
    pool->waiting--;
    pthread_mutex_unlock(&pool->lock);
}
