/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/amd/hcl.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct hcl hcl;
    struct hcl_key key;
    if (hcl_read_key(&key, input, &error))
        ASSERT(key.modulus_size == 0 || (key.modulus_size >= 256 && key.exponent >= 3));
    if (!hcl_read(&hcl, input, &error))
        return;
    ASSERT(hcl.report.size == SNP_REPORT_SIZE);
    ASSERT(hcl.runtime_data.size > 0 && hcl.runtime_data.size < input.size);
    (void)!hcl_read_key(&key, hcl.runtime_data, &error);
}
