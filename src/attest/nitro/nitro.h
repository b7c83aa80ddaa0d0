/* SPDX-License-Identifier: Apache-2.0 */
/* AWS Nitro Enclaves: what a verified attestation document says. */
#ifndef ATTEST_NITRO_NITRO_H
#define ATTEST_NITRO_NITRO_H

#include "core/bytes.h"

struct nitro_claims {
    int64_t timestamp_ms;
};

#endif
