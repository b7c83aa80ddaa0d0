/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of `s3n kv` share. */
#ifndef CMD_S3N_KV_H
#define CMD_S3N_KV_H

#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"

enum {
    KV_TARGET_SIZE_MAX = 8192
};

extern const struct verb verb_kv_export, verb_kv_import;

/* Appends the value as a part of a query. */
void kv_escape(struct buffer *text, struct bytes value);
/* Initialises `target` with "/v1/applications/APP/kv". */
MUST_CHECK bool kv_target(struct buffer *target, const char *application, struct error *error);
/* A signed request; a status other than 2xx is an error. */
MUST_CHECK bool kv_call(struct cli *cli, struct session *session, struct session_request *request,
                        struct buffer *target, struct http_client_answer *answer,
                        struct error *error);

#endif
