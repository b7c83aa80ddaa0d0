/* SPDX-License-Identifier: Apache-2.0 */
/* Issues receipts under the present receipt key, numbers them, and keeps the last ones for whoever
 * asks later.  Owns the receipt key while it is in use.  One thread. */
#ifndef FUNCTIONS_RECEIPTS_H
#define FUNCTIONS_RECEIPTS_H

#include "base/clock.h"
#include "functions/audit_head.h"
#include "functions/limits.h"
#include "keys/receipt.h"
#include "keys/session.h"

struct receipt_book;

MUST_CHECK bool receipt_book_new(struct receipt_book **book, const struct clock *clock,
                                 struct error *error);
void receipt_book_free(struct receipt_book *book);
DEFINE_AUTO(receipt_book, receipt_book_free)

/* From now on receipts are signed with `key` (taken over) and name this keyset; numbers start at 1.
 */
void receipt_book_use_key(struct receipt_book *book, struct ecdsa_key *key,
                          const struct keyset *keyset, const struct digest32 *keyset_digest);
/* The same key under another keyset: numbers go on. */
void receipt_book_use_keyset(struct receipt_book *book, const struct keyset *keyset,
                             const struct digest32 *keyset_digest);
/* Signs what `receipt` says after adding node, platform, keyset, time and number.  *text is valid
 * until the next call.  UNAVAILABLE without a key that is still valid. */
/* Vouches for the end of an audit log, with the present keyset and time. */
MUST_CHECK bool receipt_book_sign_audit(struct receipt_book *book, const struct digest32 *account,
                                        const struct audit_head *head,
                                        struct audit_endorsement *endorsement, struct error *error);
MUST_CHECK bool receipt_book_issue(struct receipt_book *book, const struct receipt *receipt,
                                   const char **text, struct error *error);
/* Says that a TLS session ends here; see keys/session.h.  Whether the keyset is still valid is for
 * the other end to judge, by its own clock. */
MUST_CHECK bool receipt_book_sign_session(struct receipt_book *book,
                                          const struct session_exporter *exporter,
                                          const struct nonce32 *nonce,
                                          struct ecdsa_signature *signature, struct error *error);
/* The last receipt of this invocation must not be told: what it says was not kept.  Its number
 * stays used. */
void receipt_book_drop(struct receipt_book *book, const char *id);
/* The receipt of an invocation among the last RECEIPT_KEPT_COUNT; NULL otherwise. */
const char *receipt_book_find(const struct receipt_book *book, struct bytes id);
uint64_t receipt_book_issued(const struct receipt_book *book);

#endif
