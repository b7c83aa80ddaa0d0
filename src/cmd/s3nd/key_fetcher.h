/* SPDX-License-Identifier: Apache-2.0 */
/* `s3nd --role keys`: a process that fetches one document of an issuer and ends: its configuration
 * or its keys.  What strangers answer there stays out of the server, whose jail has neither names
 * nor files of the system: this one looks the address up first, refuses those that are not public,
 * then jails itself into nothing. */
#ifndef S3ND_KEY_FETCHER_H
#define S3ND_KEY_FETCHER_H

#include "access/jwks.h"
#include "cmd/s3nd/config.h"

enum {
    KEY_FETCHER_ANSWER_SIZE_MAX = 2 * JWKS_SIZE_MAX,
    KEY_FETCHER_TIMEOUT_MS = 10000
};

/* The URL from descriptor 0; to descriptor 1 one JSON object: "body" (base64) or "error". */
int key_fetcher_run(const struct config *config);

#endif
