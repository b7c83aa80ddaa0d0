/* SPDX-License-Identifier: Apache-2.0 */
/* A block with its authentication behind. */
#include "attest/amd/id_block.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct snp_id_block block;
    struct snp_report report = { 0 };
    if (snp_id_block_verify(&block, bytes_part(input, 0, SNP_ID_BLOCK_SIZE),
                            bytes_part(input, SNP_ID_BLOCK_SIZE, input.size), &error))
        ASSERT(!snp_id_block_check(&block, &report, &error));
}
