/* SPDX-License-Identifier: Apache-2.0 */
/* `s3nd --role collateral`: a process that asks the makers' services once and ends.  The network
 * and what strangers answer there stay out of the server, whose jail has neither names nor files of
 * the system: this one looks addresses up first, then jails itself into its cache. */
#ifndef S3ND_FETCHER_H
#define S3ND_FETCHER_H

#include "cmd/s3nd/config.h"

enum {
    FETCHER_ANSWER_SIZE_MAX = 1 << 20,
    FETCHER_EVIDENCE_SIZE_MAX = 128 << 10
};

/* Evidence from descriptor 0; to descriptor 1 one JSON object: "bundle" (base64 of a wrapper, CBOR:
 * the evidence with what was had), "issued", "next_update", "due", "refused_until" (seconds since
 * 1970, 0: none) and "error" (empty: nothing is missing). */
int fetcher_run(const struct config *config);

#endif
