/* SPDX-License-Identifier: Apache-2.0 */
/* All applications' states of a node: one store, one thread that writes it.
 *
 * A state is read from the disk when it is first asked for and then lives in memory; the thread
 * reads it a piece at a time between commits of others, and takes a removed one off the disk in the
 * same way.  Commits are written by the thread, all that wait in one transaction of the store
 * (group commit), in the order in which they were given.  One that is alone is written at once by
 * the caller's thread, where the disk is quick: two threads that wake each other would take longer
 * than a core that waits.  The receipt of what was committed is a
 * record of the same transaction: neither can be there without the other.  Until `written` says
 * that a commit is on the disk, nobody outside may hear of it, nor of anything read from it
 * (states_write without a change waits for what came before).  When a commit can't be written, it
 * and all that may depend on it fail, and the state is read anew.
 *
 * Records in the store: space "kv/<id>", key the hexadecimal HMAC of the entry's name under a key
 * that is sealed in the store, value {version 1, expires, name, value}; key "head" with revision,
 * clock and digest.  Space "receipts": receipts.c.
 *
 * Owns: the store, the thread, the states (shared by reference).  Never: signs, logs.  All
 * functions: one thread, the event loop's. */
#ifndef STATE_STATES_H
#define STATE_STATES_H

#include "state/state.h"
#include "store/store.h"

struct states;

struct states_options {
    const char *path;                  /* of the store */
    const struct store_anchor *anchor; /* called from the thread too; NULL: none */
    struct sealer sealer;              /* called from the thread too */
    const struct clock *clock;
};

MUST_CHECK bool states_open(struct states **states, const struct states_options *options,
                            struct error *error);
/* See store_keep_log. */
void states_keep_log(struct states *states);
/* Writes what waits; nobody is called any more. */
void states_close(struct states *states);
DEFINE_AUTO(states, states_close)

/* On the disk, or in memory, or why not.  From states_take. */
typedef void states_written(void *context, const struct error *error);
/* Whether states_get does not wait.  Not an id: true, too. */
bool states_is_there(struct states *states, const char *id);
/* The state of this id when it is in memory, borrowed; NULL: it is not. */
struct state *states_peek(struct states *states, const char *id);
/* Has a state read that is not there; `done` once, later. */
MUST_CHECK bool states_read(struct states *states, const char *id, states_written *done,
                            void *context, struct error *error);
/* The state of this id (1 to STATE_ID_SIZE_MAX of printable ASCII), held for the caller; an empty
 * one when there is none.  Waits until it has been read when it is not there.  CORRUPT: the disk
 * was changed. */
MUST_CHECK bool states_get(struct states *states, const char *id, struct state **state,
                           struct error *error);

struct states_receipt {
    const char *id; /* of the invocation */
    struct bytes text;
    bool is_alone; /* nobody else wants the caller's thread: it may write this itself */
};
/* Takes over the change of a commit (NULL: waits for all that was committed before) of the state
 * that states_get gave; the receipt may be NULL.  `written` once, later. */
MUST_CHECK bool states_write(struct states *states, struct state *state,
                             struct state_change *change, const struct states_receipt *receipt,
                             states_written *written, void *context, struct error *error);
/* What was last committed to the state will not be written: it is read anew. */
void states_abandon(struct states *states, struct state *state);
/* Whether all that was committed to it is on the disk. */
bool states_is_settled(const struct states *states, const struct state *state);
/* Forgets an application's state, on the disk too.  Waits for the transaction after which that
 * can't be undone, as for any change of the registry; the records go one after the other. */
MUST_CHECK bool states_remove(struct states *states, const char *id, struct error *error);
/* The text, or why there is none (NOT_FOUND).  From states_take. */
typedef void states_receipt_found(void *context, const char *text, const struct error *error);
/* Looks for the receipt of an invocation that wrote, among the last RECEIPTS_STORED_MAX; `found`
 * once, later.  NOT_FOUND: never one of this id. */
MUST_CHECK bool states_receipt_find(struct states *states, const char *id,
                                    states_receipt_found *found, void *context,
                                    struct error *error);

/* Does something with the store on the thread, between two transactions; then `done`, from
 * states_take. */
typedef bool states_task(void *context, struct store *store, struct error *error);
MUST_CHECK bool states_run(struct states *states, states_task *task, void *context,
                           states_written *done, struct error *error);

/* Readable when states_take has something to do. */
int states_descriptor(const struct states *states);
void states_take(struct states *states);

struct states_counts {
    uint64_t commits; /* written */
    uint64_t groups;  /* transactions of the store that wrote them */
    uint64_t direct;  /* of these, by the caller's thread */
    uint64_t failures;
    unsigned open;
};
struct states_counts states_counts(struct states *states);

#endif
