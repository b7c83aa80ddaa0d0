/* SPDX-License-Identifier: Apache-2.0 */
#include "keys/keeper_desk.h"

#include <pthread.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

struct queue {
    struct keeper_job *first;
    struct keeper_job **end;
};

struct keeper_desk {
    struct keeper *keeper;
    pthread_t thread;
    bool has_thread;
    int wakeup; /* eventfd: jobs are through */
    pthread_mutex_t mutex;
    pthread_cond_t work;
    struct queue waiting, through; /* under the mutex, as is what follows */
    bool is_closing;
};

static void queue_append(struct queue *queue, struct keeper_job *job)
{
    job->next = NULL;
    *queue->end = job;
    queue->end = &job->next;
}

static struct keeper_job *queue_take(struct queue *queue)
{
    struct keeper_job *job = queue->first;
    if (job == NULL)
        return NULL;
    queue->first = job->next;
    if (queue->first == NULL)
        queue->end = &queue->first;
    return job;
}

static void *desk_run(void *context)
{
    struct keeper_desk *desk = context;
    uint64_t one = 1;
    pthread_mutex_lock(&desk->mutex);
    while (!desk->is_closing) {
        struct keeper_job *job = queue_take(&desk->waiting);
        if (job == NULL) {
            pthread_cond_wait(&desk->work, &desk->mutex);
            continue;
        }
        pthread_mutex_unlock(&desk->mutex);
        job->is_done = job->run(job, desk->keeper, &job->error);
        pthread_mutex_lock(&desk->mutex);
        queue_append(&desk->through, job);
        if (write(desk->wakeup, &one, sizeof(one)) < 0)
            continue; /* it is readable as it is */
    }
    pthread_mutex_unlock(&desk->mutex);
    return NULL;
}

bool keeper_desk_new(struct keeper_desk **desk, struct keeper *keeper, struct error *error)
{
    AUTO(keeper_desk) struct keeper_desk *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for the keeper's desk");
    made->keeper = keeper;
    made->waiting.end = &made->waiting.first;
    made->through.end = &made->through.first;
    pthread_mutex_init(&made->mutex, NULL);
    pthread_cond_init(&made->work, NULL);
    made->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (made->wakeup < 0)
        return error_system(error, "eventfd");
    int failure = pthread_create(&made->thread, NULL, desk_run, made);
    if (failure != 0)
        return error_set(error, ERROR_SYSTEM, "no thread for the keeper's desk: error %d", failure);
    made->has_thread = true;
    *desk = TAKE(made);
    return true;
}

void keeper_desk_free(struct keeper_desk *desk)
{
    struct keeper_job *job;
    if (desk == NULL)
        return;
    if (desk->has_thread) {
        pthread_mutex_lock(&desk->mutex);
        desk->is_closing = true;
        pthread_cond_signal(&desk->work);
        pthread_mutex_unlock(&desk->mutex);
        pthread_join(desk->thread, NULL);
    }
    while ((job = queue_take(&desk->through)) != NULL)
        job->done(job, job->is_done ? NULL : &job->error);
    struct error closing;
    error_set(&closing, ERROR_UNAVAILABLE, "the node is stopping");
    while ((job = queue_take(&desk->waiting)) != NULL)
        job->done(job, &closing);
    if (desk->wakeup >= 0)
        close(desk->wakeup);
    pthread_mutex_destroy(&desk->mutex);
    pthread_cond_destroy(&desk->work);
    free(desk);
}

void keeper_desk_leave(struct keeper_desk *desk, struct keeper_job *job)
{
    pthread_mutex_lock(&desk->mutex);
    queue_append(&desk->waiting, job);
    pthread_cond_signal(&desk->work);
    pthread_mutex_unlock(&desk->mutex);
}

int keeper_desk_descriptor(const struct keeper_desk *desk)
{
    return desk->wakeup;
}

void keeper_desk_take(struct keeper_desk *desk)
{
    uint64_t ignored;
    struct queue through = { .end = &through.first };
    struct keeper_job *job;
    if (read(desk->wakeup, &ignored, sizeof(ignored)) < 0)
        return;
    pthread_mutex_lock(&desk->mutex);
    while ((job = queue_take(&desk->through)) != NULL)
        queue_append(&through, job);
    pthread_mutex_unlock(&desk->mutex);
    while ((job = queue_take(&through)) != NULL)
        job->done(job, job->is_done ? NULL : &job->error);
}
