/* SPDX-License-Identifier: Apache-2.0 */
/* AMD SEV-SNP: what a verified attestation report says. */
#ifndef ATTEST_AMD_SNP_H
#define ATTEST_AMD_SNP_H

#include "core/bytes.h"

struct snp_claims {
    uint32_t version;
    uint8_t measurement[48];
};

#endif
