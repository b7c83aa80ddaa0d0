/* SPDX-License-Identifier: Apache-2.0 */
/* ID block and ID authentication of SEV-SNP launches (AMD 56860 section 8.18): what the owner of a
 * guest signed about its launch, for comparison with a report that verified. */
#ifndef ATTEST_AMD_ID_BLOCK_H
#define ATTEST_AMD_ID_BLOCK_H

#include "attest/amd/snp.h"
#include "base/error.h"
#include "crypto/hash.h"

enum {
    SNP_ID_BLOCK_SIZE = 96,
    SNP_ID_AUTH_SIZE = 4096
};

struct snp_id_block {
    uint8_t measurement[48];
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    bool has_author_key;
    struct digest48 id_key_digest;     /* as the report's ID_KEY_DIGEST */
    struct digest48 author_key_digest; /* as AUTHOR_KEY_DIGEST: zero without such a key */
};

/* Both structures, exactly: the ID key signed the block, the author key (if it is there) the ID
 * key. INVALID for malformed ones, UNVERIFIED for signatures that don't hold. */
MUST_CHECK bool snp_id_block_verify(struct snp_id_block *block, struct bytes id_block,
                                    struct bytes id_auth, struct error *error);
/* Whether the launch that a report tells of is the one the block was signed for; UNVERIFIED with
 * the name of the first field that differs. */
MUST_CHECK bool snp_id_block_check(const struct snp_id_block *block,
                                   const struct snp_report *report, struct error *error);

#endif
