/* SPDX-License-Identifier: Apache-2.0 */
#include "state/states_parts.h"

#include "crypto/random.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#define NAMES_PLACE ((struct store_key){ STORE_SPACE_NODE, "names" })

/* --- jobs --- */

static void slot_drop(struct slot *slot)
{
    if (slot == NULL || --slot->references > 0)
        return;
    state_release(slot->state);
    free(slot);
}

static void job_free(struct job *job)
{
    if (job == NULL)
        return;
    slot_drop(job->slot);
    state_change_free(job->change);
    free(job->receipt);
    buffer_done(&job->text);
    free(job);
}
DEFINE_AUTO(job, job_free)

static struct job *job_new(enum job_kind kind, struct slot *slot)
{
    struct job *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return NULL;
    made->kind = kind;
    made->slot = slot;
    if (slot != NULL)
        slot->references++;
    return made;
}

static void job_send(struct states *states, struct job *job)
{
    pthread_mutex_lock(&states->mutex);
    jobs_add(&states->waiting, job);
    pthread_mutex_unlock(&states->mutex);
    pthread_cond_signal(&states->work); /* not before: it would wake to wait for the mutex */
}

/* Sends it and blocks until it is done. */
static bool job_wait(struct states *states, struct job *job, struct error *error)
{
    job->is_waited_for = true;
    job_send(states, job);
    pthread_mutex_lock(&states->mutex);
    while (!job->is_done)
        pthread_cond_wait(&states->done, &states->mutex);
    pthread_mutex_unlock(&states->mutex);
    if (job->has_failed)
        *error = job->error;
    return !job->has_failed;
}

/* --- opening and closing --- */

static bool names_open(struct states *states, struct error *error)
{
    AUTO_BUFFER struct buffer names;
    struct error missing = { 0 };
    uint64_t revision;
    buffer_init(&names, sizeof(states->names));
    if (store_get(states->store, NAMES_PLACE, &names, &revision, &missing)) {
        if (names.size != sizeof(states->names.bytes))
            return error_set(error, ERROR_CORRUPT, "the key of names has the wrong size");
        memcpy(states->names.bytes, names.data, names.size);
        secret_wipe(names.data, names.size);
        return true;
    }
    if (missing.code != ERROR_NOT_FOUND) {
        *error = missing;
        return false;
    }
    random_secret32(&states->names);
    return store_put(states->store, NAMES_PLACE, BYTES_OF(states->names.bytes), 0, &revision,
                     error);
}

bool states_open(struct states **states, const struct states_options *options, struct error *error)
{
    AUTO(states) struct states *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for states");
    made->clock = options->clock;
    jobs_init(&made->waiting);
    jobs_init(&made->finished);
    jobs_init(&made->slow);
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->work, NULL);
    pthread_cond_init(&made->done, NULL);
    made->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->wakeup < 0)
        return error_system(error, "eventfd");
    bool opened = options->anchor == NULL
                      ? store_open_sqlite(&made->store, options->path, &options->sealer, error)
                      : store_open_anchored(&made->store, options->path, &options->sealer,
                                            options->anchor, error);
    if (!opened || !names_open(made, error) || !journal_prepare(made, error))
        return false;
    store_tidy_apart(made->store);
    int failure = pthread_create(&made->thread, NULL, journal_run, made);
    if (failure != 0) {
        errno = failure;
        return error_system(error, "start the state's thread");
    }
    made->has_thread = true;
    *states = TAKE(made);
    return true;
}

void states_keep_log(struct states *states)
{
    store_keep_log(states->store);
}

void states_close(struct states *states)
{
    if (states == NULL)
        return;
    if (states->has_thread) {
        pthread_mutex_lock(&states->mutex);
        states->stops = true;
        pthread_cond_signal(&states->work);
        pthread_mutex_unlock(&states->mutex);
        pthread_join(states->thread, NULL);
    }
    for (struct job *job; (job = jobs_take(&states->finished)) != NULL;)
        job_free(job);
    for (struct job *job; (job = jobs_take(&states->slow)) != NULL;)
        job_free(job); /* of a thread that never ran */
    for (struct slot *slot = states->slots; slot != NULL; slot = slot->next) {
        for (struct waiter *waiter; (waiter = slot->waiters) != NULL; free(waiter))
            slot->waiters = waiter->next;
    }
    while (states->slots != NULL) {
        struct slot *slot = states->slots;
        states->slots = slot->next;
        state_spoil(slot->state);
        slot_drop(slot);
    }
    store_close(states->store);
    if (states->wakeup >= 0)
        close(states->wakeup);
    pthread_mutex_destroy(&states->mutex);
    pthread_cond_destroy(&states->work);
    pthread_cond_destroy(&states->done);
    secret32_done(&states->names);
    journal_done(states);
    free(states);
}

/* --- states --- */

static bool space_of(char space[STATE_SPACE_SIZE_MAX], const char *id, struct error *error)
{
    size_t size = strnlen(id, STATE_ID_SIZE_MAX + 1);
    bool is_good = size > 0 && size <= STATE_ID_SIZE_MAX;
    for (size_t i = 0; is_good && i < size; i++)
        is_good = id[i] > 0x20 && id[i] < 0x7f;
    if (!is_good)
        return error_set(error, ERROR_INVALID, "not the id of a state");
    snprintf(space, STATE_SPACE_SIZE_MAX, "kv/%s", id);
    return true;
}

static struct slot *slot_find(const struct states *states, const char *space)
{
    struct slot *at = states->slots;
    while (at != NULL && strcmp(at->space, space) != 0)
        at = at->next;
    return at;
}

static struct slot *slot_of(const struct states *states, const struct state *state)
{
    struct slot *at = states->slots;
    while (at != NULL && at->state != state)
        at = at->next;
    return at;
}

static void slot_forget(struct states *states, struct slot *slot)
{
    for (struct slot **at = &states->slots; *at != NULL; at = &(*at)->next) {
        if (*at == slot) {
            *at = slot->next;
            states->slot_count--;
            slot_drop(slot);
            return;
        }
    }
}

/* The one that was asked for the longest time ago, and is not in use. */
static bool slot_make_room(struct states *states, struct error *error)
{
    struct slot *last = NULL;
    if (states->slot_count < STATE_OPEN_MAX)
        return true;
    for (struct slot *at = states->slots; at != NULL; at = at->next) {
        if (at->references == 1 && state_facts(at->state).transactions == 0)
            last = at;
    }
    if (last == NULL)
        return error_set(error, ERROR_BUSY, "the states of %d applications are in use",
                         STATE_OPEN_MAX);
    slot_forget(states, last);
    return true;
}

static struct slot *slot_new(struct states *states, const char *space, struct error *error)
{
    struct slot *made = calloc(1, sizeof(*made));
    if (made == NULL || !state_new(&made->state, states->clock, error)) {
        free(made);
        error_set(error, ERROR_NO_MEMORY, "no memory for a state");
        return NULL;
    }
    made->references = 1;
    snprintf(made->space, sizeof(made->space), "%s", space);
    return made;
}

/* Everybody who waits for it. */
static void slot_loaded(void *context, const struct error *failure)
{
    struct slot *slot = context;
    struct waiter *waiter = TAKE(slot->waiters);
    struct error error;
    slot->loading = NULL;
    if (failure == NULL && state_is_spoilt(slot->state)) {
        error_set(&error, ERROR_CONFLICT, "the state was removed");
        failure = &error;
    }
    for (struct waiter *next; waiter != NULL; waiter = next) {
        next = waiter->next;
        waiter->done(waiter->context, failure);
        free(waiter);
    }
}

/* The slot of this id, which is perhaps being read. */
static bool slot_get(struct states *states, const char *id, struct slot **slot, struct error *error)
{
    char space[STATE_SPACE_SIZE_MAX];
    if (!space_of(space, id, error))
        return false;
    *slot = slot_find(states, space);
    if (*slot != NULL)
        return true;
    struct slot *made = slot_make_room(states, error) ? slot_new(states, space, error) : NULL;
    if (made == NULL)
        return false;
    struct job *job = job_new(JOB_LOAD, made);
    if (job == NULL) {
        slot_drop(made);
        return error_set(error, ERROR_NO_MEMORY, "no memory for a state");
    }
    job->written = slot_loaded;
    job->context = made;
    made->loading = job;
    made->pending++;
    made->next = states->slots;
    states->slots = made;
    states->slot_count++;
    job_send(states, job);
    *slot = made;
    return true;
}

bool states_is_there(struct states *states, const char *id)
{
    char space[STATE_SPACE_SIZE_MAX];
    struct error ignored;
    if (!space_of(space, id, &ignored))
        return true;
    const struct slot *slot = slot_find(states, space);
    return slot != NULL && slot->loading == NULL;
}

struct state *states_peek(struct states *states, const char *id)
{
    char space[STATE_SPACE_SIZE_MAX];
    struct error ignored;
    const struct slot *slot = space_of(space, id, &ignored) ? slot_find(states, space) : NULL;
    return slot != NULL && slot->loading == NULL ? slot->state : NULL;
}

bool states_read(struct states *states, const char *id, states_written *done, void *context,
                 struct error *error)
{
    struct slot *slot;
    struct waiter *waiter = malloc(sizeof(*waiter));
    if (waiter == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to wait for a state");
    if (!slot_get(states, id, &slot, error)) {
        free(waiter);
        return false;
    }
    ASSERT(slot->loading != NULL);
    *waiter = (struct waiter){ slot->waiters, done, context };
    slot->waiters = waiter;
    return true;
}

/* Waits until it has been read.  Others who wait are told by states_take, and the job goes there.
 */
static bool load_wait(struct states *states, struct slot *slot, struct error *error)
{
    struct job *job = slot->loading;
    bool has_failed, is_ours = false;
    pthread_mutex_lock(&states->mutex);
    if (!job->is_done && slot->waiters == NULL)
        is_ours = job->is_waited_for = true;
    job->is_watched = true;
    while (!job->is_done)
        pthread_cond_wait(&states->done, &states->mutex);
    pthread_mutex_unlock(&states->mutex);
    has_failed = job->has_failed;
    if (has_failed)
        *error = job->error;
    if (is_ours) {
        slot->loading = NULL;
        slot->pending--;
        if (has_failed)
            slot_forget(states, slot);
        job_free(job);
    }
    return !has_failed;
}

bool states_get(struct states *states, const char *id, struct state **state, struct error *error)
{
    struct slot *slot;
    if (!slot_get(states, id, &slot, error))
        return false;
    if (slot->loading != NULL && !load_wait(states, slot, error))
        return false;
    *state = state_hold(slot->state);
    return true;
}

bool states_is_settled(const struct states *states, const struct state *state)
{
    const struct slot *slot = slot_of(states, state);
    return slot != NULL && slot->pending == 0;
}

void states_abandon(struct states *states, struct state *state)
{
    struct slot *slot = slot_of(states, state);
    if (slot == NULL)
        return;
    state_spoil(state);
    slot_forget(states, slot);
}

bool states_write(struct states *states, struct state *state, struct state_change *change,
                  const struct states_receipt *receipt, states_written *written, void *context,
                  struct error *error)
{
    AUTO(state_change) struct state_change *owned = change;
    struct slot *slot = slot_of(states, state);
    if (slot == NULL)
        return error_set(error, ERROR_CONFLICT, "the state was read anew from the disk");
    AUTO(job) struct job *job = job_new(JOB_WRITE, slot);
    bool is_complete = job != NULL;
    if (is_complete && receipt != NULL) {
        ASSERT(strlen(receipt->id) <= RECEIPT_ID_SIZE_MAX &&
               receipt->text.size <= RECEIPT_TEXT_SIZE_MAX && receipt->text.size > 0);
        snprintf(job->receipt_id, sizeof(job->receipt_id), "%s", receipt->id);
        job->receipt = malloc(receipt->text.size);
        is_complete = job->receipt != NULL;
        if (is_complete)
            memcpy(job->receipt, receipt->text.data, receipt->text.size);
        job->receipt_size = receipt->text.size;
    }
    if (!is_complete) {
        states_abandon(states, state);
        return error_set(error, ERROR_NO_MEMORY, "no memory for a commit");
    }
    job->change = TAKE(owned);
    job->written = written;
    job->context = context;
    slot->pending++;
    /* Of several clients one may seem alone between two requests of the others. */
    bool is_alone = job->change != NULL && receipt != NULL && receipt->is_alone;
    bool was_alone = states->alone_streak >= states->direct_streak_min;
    states->alone_streak = !is_alone   ? 0
                           : was_alone ? states->alone_streak
                                       : states->alone_streak + 1;
    if (!is_alone || !was_alone || !journal_write_now(states, job))
        job_send(states, job);
    (void)TAKE(job);
    return true;
}

bool states_remove(struct states *states, const char *id, struct error *error)
{
    char space[STATE_SPACE_SIZE_MAX];
    if (!space_of(space, id, error))
        return false;
    /* Not read for that: it may be large, or corrupt. */
    struct slot *known = slot_find(states, space);
    struct slot *slot = known != NULL ? known : slot_new(states, space, error);
    AUTO(job) struct job *job = slot == NULL ? NULL : job_new(JOB_REMOVE, slot);
    if (known != NULL) {
        state_spoil(known->state);
        slot_forget(states, known);
    } else {
        slot_drop(slot);
    }
    return job == NULL ? error_set(error, ERROR_NO_MEMORY, "no memory to remove a state")
                       : job_wait(states, job, error);
}

bool states_receipt_find(struct states *states, const char *id, states_receipt_found *found,
                         void *context, struct error *error)
{
    size_t size = strnlen(id, RECEIPT_ID_SIZE_MAX + 1);
    if (size == 0 || size > RECEIPT_ID_SIZE_MAX)
        return error_set(error, ERROR_NOT_FOUND, "no such receipt");
    struct job *job = job_new(JOB_RECEIPT, NULL);
    if (job == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look for a receipt");
    snprintf(job->receipt_id, sizeof(job->receipt_id), "%s", id);
    buffer_init(&job->text, RECEIPT_TEXT_SIZE_MAX + 1);
    job->found = found;
    job->context = context;
    job_send(states, job);
    return true;
}

static void receipt_give(struct job *job)
{
    buffer_append(&job->text, bytes_of("", 1));
    if (job->text.failed && !job->has_failed) {
        job->has_failed = true;
        error_set(&job->error, ERROR_NO_MEMORY, "no memory for a receipt");
    }
    if (job->has_failed)
        job->found(job->context, NULL, &job->error);
    else
        job->found(job->context, (const char *)job->text.data, NULL);
}

bool states_run(struct states *states, states_task *task, void *context, states_written *done,
                struct error *error)
{
    struct job *job = job_new(JOB_TASK, NULL);
    if (job == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a task");
    job->task = task;
    job->written = done;
    job->context = context;
    job_send(states, job);
    return true;
}

int states_descriptor(const struct states *states)
{
    return states->wakeup;
}

void states_take(struct states *states)
{
    uint64_t count;
    struct jobs finished;
    if (read(states->wakeup, &count, sizeof(count)) < 0 && errno != EAGAIN)
        return;
    pthread_mutex_lock(&states->mutex);
    finished = states->finished;
    if (finished.first == NULL)
        jobs_init(&finished);
    jobs_init(&states->finished);
    pthread_mutex_unlock(&states->mutex);
    for (struct job *job = finished.first, *next; job != NULL; job = next) {
        next = job->next;
        if (job->slot != NULL)
            job->slot->pending--;
        if (job->has_failed && job->slot != NULL && !state_is_spoilt(job->slot->state)) {
            state_spoil(job->slot->state);
            slot_forget(states, job->slot);
        }
        if (job->kind == JOB_RECEIPT)
            receipt_give(job);
        else
            job->written(job->context, job->has_failed ? &job->error : NULL);
        job_free(job);
    }
    /* Now that those who waited have been answered. */
    if (states->must_wake)
        pthread_cond_signal(&states->work);
    states->must_wake = false;
}

struct states_counts states_counts(struct states *states)
{
    pthread_mutex_lock(&states->mutex);
    struct states_counts counts = states->counts;
    pthread_mutex_unlock(&states->mutex);
    counts.open = states->slot_count;
    return counts;
}
