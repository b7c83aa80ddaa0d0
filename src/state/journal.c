/* SPDX-License-Identifier: Apache-2.0 */
/* The thread: takes what waits, writes as much of it as fits in one transaction of the store, and
 * gives it back.  The loop does the same with one that is alone. */
#include "state/states_parts.h"

#include "store/limits.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
    WRITES_BESIDES = 2, /* of a job: the head, the receipt */
    REMEMBER_US = 150,  /* without work: until then those who were answered have the cores */
    CONFIRM_US = 20000, /* the same */
    INDEX_SIZE = 4096,  /* a power of two, well above GROUP_WRITES_MAX */
};
#define SYNC_NS_MAX     UINT64_C(1000000000)
#define SYNC_NS_UNKNOWN (16 * UINT64_C(1000000))

void jobs_init(struct jobs *jobs)
{
    jobs->first = NULL;
    jobs->last = &jobs->first;
}

void jobs_add(struct jobs *jobs, struct job *job)
{
    job->next = NULL;
    *jobs->last = job;
    jobs->last = &job->next;
}

struct job *jobs_take(struct jobs *jobs)
{
    struct job *first = jobs->first;
    if (first == NULL)
        return NULL;
    jobs->first = first->next;
    if (jobs->first == NULL)
        jobs->last = &jobs->first;
    return first;
}

/* What one transaction of the store will write: the last word on each record. */
struct group {
    struct store_write writes[GROUP_WRITES_MAX];
    struct buffer values[GROUP_WRITES_MAX];
    char keys[GROUP_WRITES_MAX][RECORD_KEY_SIZE];
    uint16_t index[INDEX_SIZE]; /* number of a write, plus one */
    size_t count;
    size_t size;
    struct jobs jobs;
    size_t receipts_added, receipt_size;
};

static void group_clear(struct group *group)
{
    for (size_t i = 0; i < group->count; i++)
        buffer_done(&group->values[i]);
    group->count = group->size = group->receipts_added = 0;
    memset(group->index, 0, sizeof(group->index));
    jobs_init(&group->jobs);
}

static size_t key_hash(const char *space, const char *key)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (; *space != '\0'; space++)
        hash = (hash ^ (uint8_t)*space) * UINT64_C(0x100000001b3);
    for (; *key != '\0'; key++)
        hash = (hash ^ (uint8_t)*key) * UINT64_C(0x100000001b3);
    return (size_t)(hash ^ hash >> 29);
}

/* The group's write of this record, fresh or to be replaced. */
static size_t group_write(struct group *group, const char *space, const char *key,
                          enum store_write_kind kind)
{
    size_t at = key_hash(space, key) % INDEX_SIZE;
    for (; group->index[at] != 0; at = (at + 1) % INDEX_SIZE) {
        struct store_write *write = &group->writes[group->index[at] - 1];
        if (strcmp(write->key.key, key) == 0 && strcmp(write->key.space, space) == 0) {
            write->kind = kind;
            buffer_clear(&group->values[group->index[at] - 1]);
            return group->index[at] - 1u;
        }
    }
    ASSERT(group->count < GROUP_WRITES_MAX);
    size_t number = group->count++;
    group->index[at] = (uint16_t)(number + 1);
    snprintf(group->keys[number], sizeof(group->keys[number]), "%s", key);
    buffer_init(&group->values[number], STORE_VALUE_SIZE_MAX);
    group->writes[number] = (struct store_write){ .kind = kind,
                                                  .key = { space, group->keys[number] },
                                                  .if_revision = STORE_REVISION_ANY };
    return number;
}

static bool group_has_room(const struct group *group, const struct job *job)
{
    if (group->count == 0)
        return true;
    size_t count = job->change == NULL ? 0 : job->change->count;
    size_t size = job->change == NULL ? 0 : job->change->size;
    return group->count + count + WRITES_BESIDES <= GROUP_WRITES_MAX &&
           group->size + size <= GROUP_BYTES_MAX;
}

static void group_add_change(struct states *states, struct group *group, const struct job *job)
{
    const struct state_change *change = job->change;
    for (size_t i = 0; i < change->count; i++) {
        const struct state_write *write = &change->writes[i];
        char key[RECORD_KEY_SIZE];
        record_key(states, job->slot->space, write->name, key);
        size_t number = group_write(group, job->slot->space, key,
                                    write->is_live ? STORE_WRITE_PUT : STORE_WRITE_DELETE);
        if (write->is_live)
            record_write(&group->values[number], write);
    }
    size_t number = group_write(group, job->slot->space, "head", STORE_WRITE_PUT);
    head_write(&group->values[number], &change->head);
    group->size += change->size;
}

/* In the ring's place after those of the group. */
static void group_add_receipt(struct states *states, struct group *group, const struct job *job)
{
    char key[RECORD_KEY_SIZE];
    receipt_key(key, (states->receipt_next + group->receipts_added++) % RECEIPTS_STORED_MAX);
    size_t number = group_write(group, STATE_SPACE_RECEIPTS, key, STORE_WRITE_PUT);
    receipt_write(&group->values[number], job->receipt_id,
                  bytes_of(job->receipt, job->receipt_size), 0);
    group->receipt_size = group->values[number].size;
}

static void group_add(struct states *states, struct group *group, struct job *job)
{
    if (job->change != NULL)
        group_add_change(states, group, job);
    if (job->receipt != NULL)
        group_add_receipt(states, group, job);
    jobs_add(&group->jobs, job);
}

static bool group_commit(struct states *states, struct group *group, struct error *error)
{
    for (size_t i = 0; i < group->count; i++) {
        if (group->values[i].failed)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a commit");
        group->writes[i].value = buffer_view(&group->values[i]);
    }
    if (!store_apply(states->store, group->writes, group->count, error))
        return error_within(error, "state");
    for (const struct job *job = group->jobs.first; job != NULL; job = job->next)
        if (job->receipt != NULL)
            receipt_note(states, job->receipt_id, group->receipt_size);
    return true;
}

static void job_fail(struct job *job, const struct error *error)
{
    job->has_failed = true;
    job->error = *error;
}

/* Gives jobs back to the loop, and the store up when they are the last. */
static void jobs_finish(struct states *states, struct jobs *jobs, bool is_group, bool is_last)
{
    bool wakes = false;
    pthread_mutex_lock(&states->mutex);
    for (struct job *job; (job = jobs_take(jobs)) != NULL;) {
        if (job->kind == JOB_WRITE && job->change != NULL) {
            states->counts.commits += job->has_failed ? 0 : 1;
            states->counts.failures += job->has_failed ? 1 : 0;
        }
        job->is_done = true;
        if (job->is_waited_for || job->is_watched)
            pthread_cond_broadcast(&states->done);
        if (!job->is_waited_for) {
            jobs_add(&states->finished, job);
            wakes = true;
        }
    }
    states->counts.groups += is_group ? 1 : 0;
    if (is_last)
        states->user = USER_NOBODY;
    pthread_mutex_unlock(&states->mutex);
    uint64_t one = 1;
    if (wakes && write(states->wakeup, &one, sizeof(one)) < 0)
        return; /* it is readable already */
}

/* A moving average of eight: one slow one counts for a while. */
static void sync_note(struct states *states)
{
    uint64_t took_ns = MIN(store_sync_ns(states->store), SYNC_NS_MAX);
    states->sync_ns = (7 * states->sync_ns + took_ns) / 8;
}

/* `is_last`: nothing else was taken.  False: the store is still used. */
static bool group_finish(struct states *states, struct group *group, bool is_last)
{
    struct error error = { 0 };
    bool writes = group->count > 0;
    if (writes && !group_commit(states, group, &error)) {
        for (struct job *job = group->jobs.first; job != NULL; job = job->next) {
            job_fail(job, &error);
            job->slot->has_failed = true;
        }
    }
    if (writes)
        sync_note(states);
    struct jobs jobs = group->jobs;
    if (jobs.first == NULL)
        jobs_init(&jobs);
    group_clear(group);
    /* Before those who wait for it are woken: they may have the next one. */
    is_last =
        is_last && writes && states->slow.first == NULL && !store_wants_tidying(states->store);
    jobs_finish(states, &jobs, writes, is_last);
    return !is_last;
}

/* One that is done, for better or worse. */
static void job_finish(struct states *states, struct job *job)
{
    struct jobs jobs;
    jobs_init(&jobs);
    jobs_add(&jobs, job);
    jobs_finish(states, &jobs, false, false);
}

/* States of this space that are being read are not there any more. */
static void loads_drop(struct states *states, const char *space)
{
    struct jobs kept;
    struct error gone;
    jobs_init(&kept);
    error_set(&gone, ERROR_CONFLICT, "the state was removed");
    for (struct job *job; (job = jobs_take(&states->slow)) != NULL;) {
        if (job->kind != JOB_LOAD || strcmp(job->slot->space, space) != 0) {
            jobs_add(&kept, job);
            continue;
        }
        job_fail(job, &gone);
        job_finish(states, job);
    }
    while (kept.first != NULL)
        jobs_add(&states->slow, jobs_take(&kept));
}

bool sweep_add(struct states *states, const char *space, struct error *error)
{
    struct job *sweep = calloc(1, sizeof(*sweep));
    if (sweep == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to remove a state");
    sweep->kind = JOB_SWEEP;
    snprintf(sweep->space, sizeof(sweep->space), "%s", space);
    jobs_add(&states->slow, sweep);
    return true;
}

static bool remove_run(struct states *states, struct job *job, struct error *error)
{
    loads_drop(states, job->slot->space);
    return slot_mark_removed(states, job->slot, error) &&
           sweep_add(states, job->slot->space, error);
}

static void single_run(struct states *states, struct job *job)
{
    struct error error = { 0 };
    bool done = false;
    switch (job->kind) {
    case JOB_WRITE:
        error_set(&error, ERROR_UNAVAILABLE, "an earlier commit could not be written");
        break;
    case JOB_LOAD:
    case JOB_SWEEP:
        jobs_add(&states->slow, job);
        return;
    case JOB_REMOVE:
        done = remove_run(states, job, &error);
        break;
    case JOB_TASK:
        done = job->task(job->context, states->store, &error);
        break;
    case JOB_RECEIPT:
        done = receipt_find(states, job->receipt_id, &job->text, &error);
        break;
    }
    if (!done)
        job_fail(job, &error);
    job_finish(states, job);
}

/* Whether what the job reads is on its way out. */
static bool is_swept(const struct states *states, const struct job *load)
{
    const struct job *at = states->slow.first;
    while (at != NULL && !(at->kind == JOB_SWEEP && strcmp(at->space, load->slot->space) == 0))
        at = at->next;
    return at != NULL;
}

/* A piece of one of those that take long, in turn. */
static void slow_step(struct states *states)
{
    struct job *job = jobs_take(&states->slow);
    struct error error;
    bool done = true, more = true;
    if (job == NULL)
        return;
    if (states->is_stopping)
        done = error_set(&error, ERROR_UNAVAILABLE, "the node is stopping");
    else if (job->kind == JOB_SWEEP)
        done = sweep_step(states, job->space, &more, &error);
    else if (!is_swept(states, job))
        done = load_step(states, job->slot, &job->progress, &more, &error);
    if (done && more) {
        jobs_add(&states->slow, job);
        return;
    }
    if (job->kind == JOB_SWEEP) {
        free(job); /* what is left is taken out at the next start, or when it is read */
        return;
    }
    if (!done)
        job_fail(job, &error);
    job_finish(states, job);
}

/* How long nothing has come. */
enum quiet {
    QUIET_NOT,
    QUIET_SHORT,
    QUIET_LONG
};

/* Has the head remembered, beside what comes next; what could not be is tried again. */
static void head_remember(struct states *states, enum quiet quiet)
{
    struct error ignored; /* tried again after the next commit */
    if (quiet == QUIET_LONG)
        (void)!store_confirm(states->store, &ignored);
    else
        store_remember(states->store);
}

/* Until something may have come; false: nothing has, for so long.  With the mutex. */
static bool work_wait(struct states *states, enum quiet quiet)
{
    struct timespec until;
    if (quiet == QUIET_LONG)
        return pthread_cond_wait(&states->work, &states->mutex) == 0;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_nsec += 1000L * (quiet == QUIET_NOT ? REMEMBER_US : CONFIRM_US);
    until.tv_sec += until.tv_nsec / 1000000000L;
    until.tv_nsec %= 1000000000L;
    return pthread_cond_clockwait(&states->work, &states->mutex, CLOCK_MONOTONIC, &until) == 0;
}

/* All that waits; false at the end.  Nothing may wait when something else is left to do. */
static bool jobs_wait(struct states *states, struct jobs *taken)
{
    enum quiet quiet = QUIET_NOT;
    struct error ignored;
    pthread_mutex_lock(&states->mutex);
    if (states->user == USER_THREAD)
        states->user = USER_NOBODY;
    while (states->user == USER_LOOP ||
           (states->waiting.first == NULL && !states->stops && states->slow.first == NULL)) {
        if (states->is_touched)
            quiet = QUIET_NOT;
        states->is_touched = false;
        /* The loop signals after it has used the store. */
        bool is_told = work_wait(states, states->user == USER_LOOP ? QUIET_LONG : quiet);
        if (is_told || states->user == USER_LOOP || states->is_touched)
            continue;
        quiet++;
        states->user = USER_THREAD;
        pthread_mutex_unlock(&states->mutex);
        store_tidy(states->store);
        (void)!receipts_make_ready(states, &ignored); /* tried again */
        head_remember(states, quiet);
        pthread_mutex_lock(&states->mutex);
        states->user = USER_NOBODY;
    }
    states->user = USER_THREAD;
    *taken = states->waiting;
    if (taken->first == NULL)
        jobs_init(taken);
    jobs_init(&states->waiting);
    states->is_stopping = states->stops;
    pthread_mutex_unlock(&states->mutex);
    if (quiet == QUIET_NOT)
        head_remember(states, quiet);
    return taken->first != NULL || states->slow.first != NULL;
}

/* All of them, in order.  False: the store is not used any more. */
static bool jobs_run(struct states *states, struct jobs *taken)
{
    struct group *group = states->group;
    for (struct job *job = taken->first, *next; job != NULL; job = next) {
        next = job->next;
        bool is_write = job->kind == JOB_WRITE && !job->slot->has_failed;
        if (!is_write || !group_has_room(group, job))
            (void)group_finish(states, group, false); /* in order */
        if (job->kind == JOB_WRITE && !job->slot->has_failed)
            group_add(states, group, job);
        else
            single_run(states, job);
    }
    return group_finish(states, group, true);
}

void *journal_run(void *context)
{
    struct states *states = context;
    struct jobs taken;
    while (jobs_wait(states, &taken)) {
        if (jobs_run(states, &taken)) {
            store_tidy(states->store);
            slow_step(states);
        }
    }
    head_remember(states, QUIET_LONG);
    return NULL;
}

bool journal_write_now(struct states *states, struct job *job)
{
    struct jobs alone;
    const struct state_change *change = job->change;
    if (change->count > DIRECT_WRITES_MAX || change->size > DIRECT_BYTES_MAX)
        return false;
    pthread_mutex_lock(&states->mutex);
    bool is_free = states->user == USER_NOBODY && states->waiting.first == NULL;
    if (is_free)
        states->user = USER_LOOP;
    pthread_mutex_unlock(&states->mutex);
    if (!is_free)
        return false;
    bool can_write = states->sync_ns <= states->direct_sync_ns_max && states->slow.first == NULL &&
                     store_is_ready(states->store);
    if (can_write) {
        jobs_init(&alone);
        jobs_add(&alone, job);
        (void)jobs_run(states, &alone);
    }
    pthread_mutex_lock(&states->mutex);
    if (states->user == USER_LOOP)
        states->user = USER_NOBODY;
    states->is_touched |= can_write;
    states->counts.direct += can_write ? 1 : 0;
    pthread_mutex_unlock(&states->mutex);
    states->must_wake |= can_write;
    return can_write;
}

bool journal_prepare(struct states *states, struct error *error)
{
    states->sync_ns = SYNC_NS_UNKNOWN;
    states->direct_streak_min = DIRECT_STREAK_MIN;
    states->direct_sync_ns_max = DIRECT_SYNC_US_MAX * UINT64_C(1000);
    states->group = calloc(1, sizeof(*states->group));
    if (states->group == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the journal");
    group_clear(states->group);
    return receipts_open(states, error) && sweeps_find(states, error);
}

void journal_done(struct states *states)
{
    free(states->group); /* nothing is in it */
    free(states->receipts);
}
