/* SPDX-License-Identifier: Apache-2.0 */
/* The node's present identity: TLS key, receipt key, and the keyset by which the keeper vouches for
 * both.  Made at the start, renewed well before it ends; connections and invocations under way go
 * on with what they began with. */
#ifndef S3ND_IDENTITY_H
#define S3ND_IDENTITY_H

#include "crypto/tls.h"
#include "functions/receipts.h"
#include "keys/keeper.h"

enum {
    IDENTITY_VALID_S = 3600,
    IDENTITY_RENEW_S = 3000,  /* after that long */
    IDENTITY_BACKDATE_S = 60, /* clocks differ a little */
};

struct identity {
    struct buffer keyset; /* text */
    struct digest32 keyset_digest;
    struct keyset parsed;
    struct tls_context *tls;
    struct buffer certificate; /* PEM */
};

/* `address`: "ADDR:PORT" that the node listens on, for the certificate's names.  The receipt key
 * goes to `receipts`.  On failure the identity there was stays in use. */
MUST_CHECK bool identity_renew(struct identity *identity, struct keeper *keeper,
                               struct receipt_book *receipts, const char *address,
                               struct error *error);
/* The same keys for the same time, under a keyset that tells the event log as it is now: where
 * evidence does not. */
MUST_CHECK bool identity_endorse_again(struct identity *identity, struct keeper *keeper,
                                       struct receipt_book *receipts, struct error *error);
/* Whether it has been used for long, or the clock was set to where it is not valid. */
MUST_CHECK bool identity_is_due(const struct identity *identity);
void identity_done(struct identity *identity);

#endif
