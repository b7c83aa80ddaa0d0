/* SPDX-License-Identifier: Apache-2.0 */
/* A lane's thread, and the lane's cells (cell.h): one per function, of which one at a time has the
 * lane.  Functions that the VMM resets run one after the other, each answered by the cell alone; of
 * others the guest serves the lane's ring.  A thread starts the next lane's when its own lane is
 * used first.  Resets and new shells happen after the answer is out. */
#ifndef SLIPSTREAM_LANE_H
#define SLIPSTREAM_LANE_H

#include "slipstream/channel.h"
#include "slipstream/engine.h"
#include "slipstream/ring.h"

#include <pthread.h>
#include <sys/types.h>

enum {
    LANE_INSTANCES_MAX = 4,
    LANE_IDLE_MS = 10,    /* without work before a spare is made */
    LANE_READY_COUNT = 2, /* lanes that have one from the start of their thread */
    LIBRARY_FUNCTIONS_MAX = 256
};

/* The functions that are loaded, shared by all lanes. */
struct library_row {
    struct program *program; /* NULL: free */
    uint32_t function;
    uint32_t version; /* never used twice: a function loaded again is another one */
    struct settings settings;
};

struct library {
    pthread_mutex_t lock;
    uint32_t version; /* counts changes */
    uint32_t count;
    struct library_row rows[LIBRARY_FUNCTIONS_MAX];
};

void library_init(struct library *library);
void library_done(struct library *library);
/* Replaces the function if it is there. */
MUST_CHECK bool library_put(struct library *library, uint32_t function, struct program *program,
                            const struct settings *settings, struct error *error);
MUST_CHECK bool library_remove(struct library *library, uint32_t function, struct error *error);
/* A row with a program that the caller closes; false when the function is not loaded. */
bool library_find(struct library *library, uint32_t function, struct library_row *row);
/* For the only thread of a process that was forked with the library in sight. */
const struct library_row *library_row_of(const struct library *library, uint32_t version);
/* Functions that are loaded. */
uint32_t library_count(const struct library *library);

/* An instance: a process of its own (cell.h). */
struct cell {
    pid_t pid; /* 0: free */
    int pipe;  /* where it gives the lane back */
    uint32_t number;
    uint32_t version; /* of its function; of a spare: of the library that it sees */
    uint64_t used;    /* when it ran last, counted in runs */
};

/* What a lane has ready for what may come. */
enum lane_keeping {
    LANE_KEEPS_ONCE_USED, /* until the server says */
    LANE_KEEPS,           /* a spare, or cells */
    LANE_KEEPS_NOTHING    /* ends its cells when it rests */
};

enum lane_state {
    LANE_UNUSED,
    LANE_STARTING,
    LANE_STARTED
};

struct lane {
    struct engine *engine;
    struct library *library;
    int event;
    struct ring ring;  /* channel, number, how far it is */
    struct lane *next; /* NULL: none */
    pthread_t thread;
    uint32_t state;       /* enum lane_state */
    uint32_t keeping;     /* enum lane_keeping */
    pthread_mutex_t lock; /* the cells: held while one has the lane */
    uint64_t run_count;
    struct cell_share *share;
    uint32_t cell_count;  /* ever started */
    uint32_t retry_count; /* cells that died idle while ring.handled was retried_at */
    uint32_t retried_at;
    struct cell spare; /* a machine without a program */
    struct cell cells[LANE_INSTANCES_MAX];
};

/* Starts the thread, which lives as long as the process, unless it has started. */
MUST_CHECK bool lane_start(struct lane *lane, struct error *error);
/* Ends cells of functions that are no longer loaded, unless one is running: then the thread does it
 * afterwards. */
void lane_prune(struct lane *lane);
/* A function was loaded and may be wanted at once: makes the spare, unless the lane is busy. */
void lane_expect(struct lane *lane);
/* What the lane keeps from now on; starts its thread when that is LANE_KEEPS. */
void lane_keep(struct lane *lane, enum lane_keeping keeping);
/* What its ring is told with. */
void lane_prepare(struct lane *lane);
/* The next invocation by itself; false when the shell is of no use any more. */
bool lane_run_one(struct lane *lane, struct shell *shell);
/* Whether the function's program is still loaded in this version. */
bool library_has(struct library *library, uint32_t version);
/* Whether only the worker's own word counts for such a function, and the VMM resets it. */
bool lane_is_direct(const struct settings *settings);

#endif
