/* SPDX-License-Identifier: Apache-2.0 */
/* `attest`: the node's attestation for a nonce of the function's own, as
 * /.well-known/s3n/attestation gives it: a function can prove to whom it talks where it runs.
 * Evidence is made while the caller waits; an invocation gets a few. */
#ifndef SERVICES_ATTEST_H
#define SERVICES_ATTEST_H

#include "base/buffer.h"
#include "services/services.h"

enum {
    ATTEST_NONCE_SIZE = 32,
    ATTEST_COUNT_MAX = 4 /* of one invocation; beyond: LIMIT */
};

struct attest_source {
    void *context;
    /* Appends the attestation. */
    bool (*write)(void *context, const uint8_t nonce[ATTEST_NONCE_SIZE], struct buffer *text,
                  struct error *error);
};
extern const struct service service_attest; /* context: const struct attest_source */

#endif
