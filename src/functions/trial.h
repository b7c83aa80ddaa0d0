/* SPDX-License-Identifier: Apache-2.0 */
/* Trials: before a version is served, what its functions do at their initialisation is done once,
 * in a worker of its own that is ended afterwards.  What goes wrong there is an error of the
 * deployment, not of the first request.  Functions that initialise nothing are not tried.  Never
 * blocks.  One thread, the event loop's. */
#ifndef FUNCTIONS_TRIAL_H
#define FUNCTIONS_TRIAL_H

#include "functions/invocation.h"

struct trier {
    struct uv_loop_s *loop;
    struct blobs *blobs; /* for images */
    struct worker_source workers;
};

struct trial;

/* `error` NULL: every function came through. */
typedef void trial_done(void *context, const struct error *error);

/* Starts the trial of a manifest with its images (borrowed until it ends).  *waits: `done` will be
 * called once, later; otherwise there is nothing to try.  BUSY and the like come back at once. */
MUST_CHECK bool trial_start(struct trial **trial, const struct trier *trier,
                            const struct manifest *manifest, const struct function_image *images,
                            trial_done *done, void *context, bool *waits, struct error *error);
/* `done` is not called any more.  NULL does nothing. */
void trial_cancel(struct trial *trial);

#endif
