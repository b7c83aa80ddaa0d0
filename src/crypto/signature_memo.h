/* SPDX-License-Identifier: Apache-2.0 */
/* Signatures that are known to hold, so that what is verified over and over (collateral, the
 * certificates of an issuer) costs its curve arithmetic once.
 *
 * A plain value of the caller's, zero when empty, not to be shared by threads.  It says of a key, a
 * message and a signature that they fit, and nothing of dates, names or trust: those are looked at
 * every time.  Only what was verified gets in; the oldest leaves when it is full. */
#ifndef CRYPTO_SIGNATURE_MEMO_H
#define CRYPTO_SIGNATURE_MEMO_H

#include "crypto/crl.h"
#include "crypto/x509.h"

struct signature_memo {
    struct digest32 known[SIGNATURE_MEMO_COUNT];
    size_t next;
};

/* public_key_verify, unless `memo` (NULL: none) knows that it holds. */
MUST_CHECK bool signature_memo_verify(struct signature_memo *memo, const struct public_key *key,
                                      struct bytes message, const struct signature_value *signature,
                                      struct error *error);
/* Mark a certificate or list whose signature under `key` is known, for x509_chain_verify and
 * crl_verify; and remember it when these have held. */
void signature_memo_recall_certificate(const struct signature_memo *memo,
                                       struct x509_certificate *certificate,
                                       const struct public_key *key);
void signature_memo_keep_certificate(struct signature_memo *memo,
                                     const struct x509_certificate *certificate,
                                     const struct public_key *key);
void signature_memo_recall_crl(const struct signature_memo *memo, struct crl *crl,
                               const struct public_key *key);
void signature_memo_keep_crl(struct signature_memo *memo, const struct crl *crl,
                             const struct public_key *key);

#endif
