/* SPDX-License-Identifier: Apache-2.0 */
/* The server's end of the supervisor's socket, on the event loop: requests are sent at once, their
 * answers come to a callback in whatever order they arrive. */
#ifndef S3ND_SUPERVISOR_CLIENT_H
#define S3ND_SUPERVISOR_CLIENT_H

#include "base/ipc.h"
#include "cmd/s3nd/requests.h"

struct uv_loop_s;
struct supervisor_client;

/* `answer` NULL: it failed with `error`.  Takes the descriptors it wants out of the answer (setting
 * them to -1); the others are closed. */
typedef void supervisor_answer(void *context, struct ipc_message *answer,
                               const struct error *error);

struct supervisor_events {
    void *context;
    void (*stop)(void *context); /* stop gracefully */
    /* A successor stands by: stop so that nobody notices.  False: there will be none. */
    void (*hand_over)(void *context, bool is_there);
    void (*lost)(void *context); /* the supervisor is gone: there is nobody to serve for */
};

/* Takes over the socket. */
MUST_CHECK bool supervisor_client_new(struct supervisor_client **client, struct uv_loop_s *loop,
                                      int socket, const struct supervisor_events *events,
                                      struct error *error);
/* Requests without an answer are forgotten; their descriptors were sent. */
void supervisor_client_free(struct supervisor_client *client);
DEFINE_AUTO(supervisor_client, supervisor_client_free)
/* `done` is called exactly once, later. */
MUST_CHECK bool supervisor_request(struct supervisor_client *client, enum supervisor_request type,
                                   struct bytes payload, const int *descriptors,
                                   unsigned descriptor_count, supervisor_answer *done,
                                   void *context, struct error *error);
/* Requests and runs the loop until the answer is there: for the start. */
MUST_CHECK bool supervisor_request_wait(struct supervisor_client *client,
                                        enum supervisor_request type, struct bytes payload,
                                        int *descriptor, struct error *error);

#endif
