/* SPDX-License-Identifier: Apache-2.0 */
/* Inside state: what the loop's side (states.c), the journal (journal.c: the thread) and the forms
 * of records (records.c) share. */
#ifndef STATE_STATES_PARTS_H
#define STATE_STATES_PARTS_H

#include "state/states.h"

#include "base/secret.h"
#include "store/limits.h"

#include <pthread.h>

enum {
    STATE_SPACE_SIZE_MAX = STATE_ID_SIZE_MAX + 4, /* "kv/" and the end */
    RECORD_KEY_SIZE = 64 + 1,
    RECORD_SIZE_MAX = 1 + 8 + 2 + KV_NAME_SIZE_MAX + KV_VALUE_SIZE_MAX,
    RECEIPT_ID_SIZE_MAX = 32
};
#define STATE_SPACE_RECEIPTS "receipts"

/* One state in memory.  Lives while it is the present one of its id, or a job names it. */
struct slot {
    struct slot *next;   /* in the table */
    unsigned references; /* of the table and jobs; the loop's */
    struct state *state;
    char space[STATE_SPACE_SIZE_MAX];
    unsigned pending;    /* jobs; the loop's */
    bool has_failed;     /* the thread's: what comes later is not written */
    struct job *loading; /* NULL: it was read; the loop's, and */
    struct waiter *waiters;
};
struct waiter {
    struct waiter *next;
    states_written *done;
    void *context;
};

/* How far a state has been read, or taken off the disk. */
struct progress {
    bool has_head;
    struct state_head head;
    char after[STORE_KEY_SIZE_MAX + 1];
};

enum job_kind {
    JOB_WRITE, /* a change, or nothing: a barrier */
    JOB_LOAD,
    JOB_REMOVE, /* no more than the mark: */
    JOB_SWEEP,  /* the rest; the thread's own */
    JOB_RECEIPT,
    JOB_TASK,
};
struct job {
    struct job *next;
    enum job_kind kind;
    struct slot *slot;           /* held; NULL for SWEEP, RECEIPT and TASK */
    struct state_change *change; /* of WRITE; NULL: barrier */
    char receipt_id[RECEIPT_ID_SIZE_MAX + 1];
    uint8_t *receipt; /* text; NULL: none */
    size_t receipt_size;
    struct buffer text; /* of RECEIPT, and who wants it */
    states_receipt_found *found;
    states_task *task;                /* of TASK */
    struct progress progress;         /* of LOAD */
    char space[STATE_SPACE_SIZE_MAX]; /* of SWEEP */
    states_written *written;
    void *context;
    bool is_waited_for; /* the loop waits in states_remove, */
    bool is_watched;    /* or in states_get */
    bool is_done;
    bool has_failed;
    struct error error;
};

struct jobs {
    struct job *first, **last;
};

enum user {
    USER_NOBODY,
    USER_THREAD,
    USER_LOOP
};

struct states {
    const struct clock *clock;
    struct slot *slots;
    unsigned slot_count;
    pthread_t thread;
    bool has_thread;
    int wakeup; /* eventfd */
    pthread_mutex_t mutex;
    pthread_cond_t work, done;
    /* Under the mutex. */
    struct jobs waiting, finished;
    bool stops;
    enum user user;  /* of the store */
    bool is_touched; /* the loop wrote, and the thread has not seen to what is left to do */
    struct states_counts counts;
    unsigned alone_streak, direct_streak_min; /* the loop's: commits in a row that were alone */
    bool must_wake; /* the loop's: it wrote, and the thread does not know */
    /* The store's user's, once the thread runs. */
    struct store *store;
    struct group *group;
    uint64_t sync_ns; /* what the disk takes lately for a commit */
    uint64_t direct_sync_ns_max;
    bool is_stopping;
    struct jobs slow;                          /* LOAD and SWEEP, a piece at a time */
    struct secret32 names;                     /* key of the HMAC */
    char (*receipts)[RECEIPT_ID_SIZE_MAX + 1]; /* a ring of ids; empty: there is none yet */
    size_t receipt_next;                       /* place of the next one */
    size_t receipt_end;                        /* the ring's records end there */
    size_t receipt_size;                       /* of the latest record; 0: there was none */
};

/* records.c */
void record_key(const struct states *states, const char *space, struct bytes name,
                char key[RECORD_KEY_SIZE]);
void record_write(struct buffer *record, const struct state_write *write);
/* `write` borrows. */
MUST_CHECK bool record_read(struct bytes record, struct state_write *write, struct error *error);
void head_write(struct buffer *record, const struct state_head *head);
MUST_CHECK bool head_read(struct bytes record, struct state_head *head, struct error *error);

/* receipts.c; all but the writing and noting of one are the store's user's */
void receipt_key(char key[RECORD_KEY_SIZE], size_t place);
/* At least `size_min` bytes. */
void receipt_write(struct buffer *record, const char *id, struct bytes text, size_t size_min);
/* `id` and `text` borrow. */
MUST_CHECK bool receipt_read(struct bytes record, struct bytes *id, struct bytes *text,
                             struct error *error);
/* The record of the ring's next place is on the disk. */
void receipt_note(struct states *states, const char *id, size_t size);
/* Appends the text; NOT_FOUND. */
MUST_CHECK bool receipt_find(const struct states *states, const char *id, struct buffer *text,
                             struct error *error);
/* Has records for the next ones, unless enough are there. */
MUST_CHECK bool receipts_make_ready(struct states *states, struct error *error);
/* Reads the ring. */
MUST_CHECK bool receipts_open(struct states *states, struct error *error);

/* journal.c */
void jobs_init(struct jobs *jobs);
void jobs_add(struct jobs *jobs, struct job *job);
struct job *jobs_take(struct jobs *jobs);
/* The ring of receipts, from the store. */
MUST_CHECK bool journal_prepare(struct states *states, struct error *error);
void journal_done(struct states *states);
/* From the loop: writes a commit that is alone, at once, and gives it back as the thread would;
 * false: it is the thread's, for something is under way or the disk may take long. */
MUST_CHECK bool journal_write_now(struct states *states, struct job *job);
void *journal_run(void *states);
/* Takes all that is in a space off the disk, when its turn comes. */
MUST_CHECK bool sweep_add(struct states *states, const char *space, struct error *error);

/* load.c, on the thread; a piece of the work each. */
MUST_CHECK bool load_step(struct states *states, struct slot *slot, struct progress *progress,
                          bool *more, struct error *error);
MUST_CHECK bool sweep_step(struct states *states, const char *space, bool *more,
                           struct error *error);
/* Removals that were under way when the store was closed. */
MUST_CHECK bool sweeps_find(struct states *states, struct error *error);
/* From now on the state is an empty one, whatever is still there. */
MUST_CHECK bool slot_mark_removed(struct states *states, struct slot *slot, struct error *error);

#endif
