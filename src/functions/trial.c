/* SPDX-License-Identifier: Apache-2.0 */
#include "functions/trial.h"
#include "abi/image.h"
#include "base/file.h"
#include "functions/house.h"

#include <stdlib.h>
#include <uv.h>

enum {
    TRIAL_MAILBOX_SIZE = 128 << 10
};

struct trial {
    const struct trier *trier;
    const struct manifest *manifest;
    const struct function_image *images;
    trial_done *done; /* NULL: cancelled */
    void *context;
    bool starting; /* a worker was asked for */
    bool opening;
    size_t at; /* function being tried */
    struct worker *worker;
    int process;
    uv_poll_t *control;
    uv_timer_t *timer;
};

static void handle_closed(uv_handle_t *handle)
{
    free(handle);
}

static void trial_free(struct trial *trial)
{
    if (trial->worker != NULL) {
        worker_close(trial->worker);
        trial->trier->workers.end(trial->trier->workers.context, trial->process);
    }
    if (trial->control != NULL) {
        uv_poll_stop(trial->control);
        uv_close((uv_handle_t *)trial->control, handle_closed);
    }
    if (trial->timer != NULL) {
        uv_timer_stop(trial->timer);
        uv_close((uv_handle_t *)trial->timer, handle_closed);
    }
    free(trial);
}

/* The worker goes first: `done` may start another trial. */
static void trial_end(struct trial *trial, const struct error *error)
{
    trial_done *done = trial->done;
    void *context = trial->context;
    trial_free(trial);
    if (done != NULL)
        done(context, error);
}

void trial_cancel(struct trial *trial)
{
    if (trial == NULL)
        return;
    trial->done = NULL;
    if (!trial->starting)
        trial_free(trial);
}

static bool wants_trial(const struct function_image *image)
{
    return (image->flags &
            (IMAGE_HAS_START | IMAGE_HAS_INITIALISE | IMAGE_HAS_INIT | IMAGE_IS_NATIVE)) != 0;
}

static void on_time(uv_timer_t *timer)
{
    struct trial *trial = timer->data;
    struct error error;
    error_set(&error, ERROR_TIMEOUT, "its worker does not answer");
    if (!trial->opening)
        error_within(&error, "function %s", trial->manifest->functions[trial->at].name);
    trial_end(trial, &error);
}

static bool trial_load(struct trial *trial, struct error *error)
{
    const struct manifest_function *function = &trial->manifest->functions[trial->at];
    const struct settings settings = function_settings(function);
    AUTO_CLOSE int image = -1;
    AUTO_CLOSE int files = -1;
    uint64_t allowed_ms = (uint64_t)function->limits.timeout_ms + WORKER_ANSWER_TIMEOUT_MS;
    return function_open(trial->trier->blobs, function, &trial->images[trial->at], &image, &files,
                         error) &&
           worker_load_begin(trial->worker, (uint32_t)trial->at, image, files, &settings, error) &&
           (uv_timer_start(trial->timer, on_time, allowed_ms, 0) == 0 ||
            error_set(error, ERROR_SYSTEM, "time a trial"));
}

/* Goes on with the next function that has something to try, or ends. */
static void trial_next(struct trial *trial)
{
    struct error error;
    while (trial->at < trial->manifest->function_count && !wants_trial(&trial->images[trial->at]))
        trial->at++;
    if (trial->at == trial->manifest->function_count)
        trial_end(trial, NULL);
    else if (!trial_load(trial, &error))
        trial_end(trial, &error);
}

static void on_control(uv_poll_t *poll, int status, int events)
{
    struct trial *trial = poll->data;
    struct error error;
    (void)status, (void)events;
    switch (worker_answer(trial->worker, &error)) {
    case WORKER_ANSWER_NONE:
        return;
    case WORKER_ANSWER_DONE:
        trial->at += trial->opening ? 0 : 1;
        trial->opening = false;
        trial_next(trial);
        return;
    case WORKER_ANSWER_LOST:
        if (!trial->opening)
            error_set(&error, ERROR_CRASHED, "its worker died while it was initialised");
        break;
    case WORKER_ANSWER_REFUSED:
        break;
    }
    if (!trial->opening)
        error_within(&error, "function %s", trial->manifest->functions[trial->at].name);
    trial_end(trial, &error);
}

static bool trial_open(struct trial *trial, int socket, struct error *error)
{
    static const struct worker_options options = { .lane_count = 1,
                                                   .mailbox_size = TRIAL_MAILBOX_SIZE,
                                                   .answer_timeout_ms = WORKER_ANSWER_TIMEOUT_MS };
    if (!worker_open_begin(&trial->worker, socket, &options, error)) {
        trial->trier->workers.end(trial->trier->workers.context, trial->process);
        return false;
    }
    trial->opening = true;
    trial->control = calloc(1, sizeof(*trial->control));
    if (trial->control == NULL ||
        uv_poll_init(trial->trier->loop, trial->control, worker_socket(trial->worker)) != 0) {
        free(TAKE(trial->control));
        return error_set(error, ERROR_SYSTEM, "watch a worker");
    }
    trial->control->data = trial;
    if (uv_poll_start(trial->control, UV_READABLE, on_control) != 0 ||
        uv_timer_start(trial->timer, on_time, WORKER_ANSWER_TIMEOUT_MS, 0) != 0)
        return error_set(error, ERROR_SYSTEM, "watch a worker");
    return true;
}

static void worker_arrived(void *context, int socket, int process, const struct error *failure)
{
    struct trial *trial = context;
    struct error error;
    trial->starting = false;
    trial->process = process;
    if (trial->done == NULL) {
        file_close(&socket);
        if (process > 0)
            trial->trier->workers.end(trial->trier->workers.context, process);
        trial_free(trial);
    } else if (socket < 0) {
        trial_end(trial, failure);
    } else if (!trial_open(trial, socket, &error)) {
        trial_end(trial, &error);
    }
}

static struct trial *trial_new(const struct trier *trier)
{
    struct trial *trial = calloc(1, sizeof(*trial));
    uv_timer_t *timer = calloc(1, sizeof(*timer));
    if (trial == NULL || timer == NULL || uv_timer_init(trier->loop, timer) != 0) {
        free(trial);
        free(timer);
        return NULL;
    }
    trial->trier = trier;
    trial->timer = timer;
    timer->data = trial;
    return trial;
}

bool trial_start(struct trial **made, const struct trier *trier, const struct manifest *manifest,
                 const struct function_image *images, trial_done *done, void *context, bool *waits,
                 struct error *error)
{
    bool wanted = false;
    for (size_t i = 0; i < manifest->function_count; i++)
        wanted |= wants_trial(&images[i]);
    *waits = false;
    if (!wanted)
        return true;
    struct trial *trial = trial_new(trier);
    if (trial == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a trial");
    trial->manifest = manifest;
    trial->images = images;
    trial->done = done;
    trial->context = context;
    trial->starting = true;
    if (!trier->workers.request(trier->workers.context, worker_arrived, trial, error)) {
        trial_free(trial);
        return false;
    }
    *made = trial;
    *waits = true;
    return true;
}
