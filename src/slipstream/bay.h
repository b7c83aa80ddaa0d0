/* SPDX-License-Identifier: Apache-2.0 */
/* A bay: one slot's thread with its micro-VMs.  It keeps a few instances, one per function, and an
 * empty shell for the next function it has not seen; all of them map the slot's one mailbox, and
 * only one runs at a time.  Resets and new shells happen after the answer is out. */
#ifndef SLIPSTREAM_BAY_H
#define SLIPSTREAM_BAY_H

#include "slipstream/channel.h"
#include "slipstream/engine.h"

#include <pthread.h>

enum {
    BAY_INSTANCES_MAX = 4,
    BAY_IDLE_MS = 10,    /* without work before a spare shell is made */
    BAY_READY_COUNT = 4, /* slots that have one from the start */
    LIBRARY_FUNCTIONS_MAX = 256
};

/* The functions that are loaded, shared by all bays. */
struct library_row {
    struct program *program; /* NULL: free */
    uint32_t function;
    uint32_t version; /* never used twice: a function loaded again is another one */
    struct settings settings;
};

struct library {
    pthread_mutex_t lock;
    uint32_t version; /* counts changes */
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

struct bay_instance {
    struct shell *shell; /* NULL: free */
    uint32_t version;
    uint64_t used; /* when it ran last, counted in runs */
};

struct bay {
    struct engine *engine;
    struct library *library;
    const struct channel *channel;
    pthread_mutex_t *post_lock; /* completions are posted one at a time */
    int event;
    uint32_t slot;
    pthread_t thread;
    pthread_mutex_t lock; /* the instances: held while one runs */
    uint64_t run_count;
    struct shell *spare;
    struct bay_instance instances[BAY_INSTANCES_MAX];
};

/* Starts the thread, which lives as long as the process; slot 0 has its empty shell before. */
MUST_CHECK bool bay_start(struct bay *bay, struct error *error);
/* Closes instances of functions that are no longer loaded, unless one is running: then the thread
 * does it afterwards. */
void bay_prune(struct bay *bay);

#endif
