/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral and chains that are known: parsed, and whose signatures have held.  For whoever
 * verifies many quotes: one of a known platform then costs its two signatures and little else.
 *
 * A value of the caller's, not to be shared by threads.  Found by its exact bytes, byte by byte,
 * and nothing else; it says what they mean and under which key their signature held.  Dates, names,
 * roots, lists and levels are judged at every use.  Only what was verified gets in; what was not
 * used for the longest time leaves when it is full. */
#ifndef ATTEST_INTEL_KNOWN_H
#define ATTEST_INTEL_KNOWN_H

#include "attest/intel/qe_identity.h"
#include "attest/intel/tcb_info.h"
#include "crypto/crl.h"

struct intel_known;

/* NULL when there is no memory. */
struct intel_known *intel_known_new(void);
void intel_known_free(struct intel_known *known);
static inline void intel_known_release(struct intel_known **known)
{
    intel_known_free(*known);
}
#define AUTO_INTEL_KNOWN __attribute__((cleanup(intel_known_release)))

/* Inside attest/intel from here on.  `known` may be NULL: nothing is known then. */
enum known_kind {
    KNOWN_PCK_CHAIN,
    KNOWN_TCB_CHAIN,
    KNOWN_CRL,
    KNOWN_TCB_INFO,
    KNOWN_QE_IDENTITY,
    KNOWN_ROOT
};

/* Views point into a copy of the owner's.  It stays for the verification that found it: what was
 * used last leaves last, and one verification has fewer pieces than there is room for. */
struct known_piece {
    enum known_kind kind;
    bool has_pck; /* of a PCK chain: its leaf's extension was parsed */
    struct pck_info pck;
    struct ecdsa_public issuer; /* of lists, TCB info and QE identity: under which they held */
    union {
        struct x509_chain chain; /* all signatures but the last certificate's are known */
        struct crl crl;
        struct tcb_info tcb_info;
        struct qe_identity qe_identity;
        struct x509_certificate root;
    };
};

/* The piece with these bytes, NULL for none. */
struct known_piece *intel_known_find(struct intel_known *known, enum known_kind kind,
                                     struct bytes source);
/* Whether its signature is known to hold under `key`; false for NULL. */
bool known_piece_is_signed_by(const struct known_piece *piece, const struct public_key *key);
/* Remembers what was verified: `content` is what `source` holds, itself or decoded from PEM, and is
 * read anew from a copy; `issuer` NULL for chains and roots.  Without memory, or under a key that
 * is not P-256, nothing is remembered. */
void intel_known_keep(struct intel_known *known, enum known_kind kind, struct bytes source,
                      struct bytes content, const struct public_key *issuer);

#endif
