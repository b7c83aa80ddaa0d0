/* SPDX-License-Identifier: Apache-2.0 */
/* One signed request of the API and its JSON answer, for verbs that do little else. */
#ifndef S3N_NODE_CALL_H
#define S3N_NODE_CALL_H

#include "base/json.h"
#include "cmd/s3n/cli.h"
#include "cmd/s3n/session.h"

enum {
    NODE_PATH_SIZE = 256
};

/* "/v1/applications/APPLICATION[/versions/NUMBER]REST".  USAGE when a name can't be one. */
MUST_CHECK bool node_path(char path[NODE_PATH_SIZE], const char *application, const char *number,
                          const char *rest, struct error *error);
/* `body` may be NULL; *answer is NULL when the answer has no body.  A status other than 2xx is the
 * node's error, with its hint. */
MUST_CHECK bool node_call(struct cli *cli, enum http_method method, const char *path,
                          const json_t *body, json_t **answer, struct error *error);
/* The same in a session that is open. */
MUST_CHECK bool node_session_call(struct session *session, enum http_method method,
                                  const char *path, const json_t *body, json_t **answer,
                                  struct error *error);

#endif
