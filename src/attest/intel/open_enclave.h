/* SPDX-License-Identifier: Apache-2.0 */
/* What the Open Enclave SDK puts around an SGX quote: include/openenclave/internal/report.h and
 * plugin.h of its sources, little-endian.
 *
 *     report    1 as 32 bits; type as 32 bits: 1 a local report, 2 a quote; size of what follows as
 *               64 bits.  Also in certificates of Azure Attestation, of Open Enclave and of EGo.
 *     evidence  2 or 3 as 32 bits; the format's UUID; 4 bytes of padding; size of what follows as
 *               64 bits: in version 2 a report, in version 3 a quote; then the application's
 *               claims, of which the quote's report data has the SHA-256
 *
 * Headers are not signed: nothing is believed of them but where the quote stands. */
#ifndef ATTEST_INTEL_OPEN_ENCLAVE_H
#define ATTEST_INTEL_OPEN_ENCLAVE_H

#include "base/error.h"
#include "core/bytes.h"

struct open_enclave {
    uint32_t version;
    struct bytes quote;
    struct bytes claims; /* the application's; empty: none */
};

/* Whether the bytes begin with such a header, by the quote behind it or its format. */
bool open_enclave_is(struct bytes evidence);
/* INVALID unless all sizes add up, UNSUPPORTED for what only the same machine can verify. */
MUST_CHECK bool open_enclave_read(struct open_enclave *parsed, struct bytes evidence,
                                  struct error *error);

#endif
