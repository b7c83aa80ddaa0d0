/* SPDX-License-Identifier: Apache-2.0 */
/* The root that a person trusts instead of the vendors' (--root), as a file has it. */
#ifndef ATTEST_TRUST_ANCHOR_H
#define ATTEST_TRUST_ANCHOR_H

#include "crypto/x509.h"

/* Exactly one certificate, in DER or PEM or as a text of these (evidence_text.h).  USAGE when the
 * file is anything else.  Allocates, for the time it takes, twice as much as the file has. */
MUST_CHECK bool trust_anchor_read(struct x509_chain *anchor, struct bytes file,
                                  struct error *error);

#endif
