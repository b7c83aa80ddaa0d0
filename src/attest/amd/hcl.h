/* SPDX-License-Identifier: Apache-2.0 */
/* Azure's wrapper of a report (HCL): the report that the paravisor asked for at start, and the JSON
 * whose digest is its report data.  The JSON names the key of the virtual TPM, whose own quotes are
 * the fresh evidence there.  The head is not signed and says nothing that counts. */
#ifndef ATTEST_AMD_HCL_H
#define ATTEST_AMD_HCL_H

#include "attest/amd/snp.h"
#include "base/error.h"

enum {
    HCL_REPORT_SNP = 2,
    HCL_REPORT_TDX = 4 /* a TDREPORT: evidence for its own machine only */
};

struct hcl {
    struct bytes report; /* SNP_REPORT_SIZE bytes */
    uint32_t report_type;
    struct bytes runtime_data; /* JSON */
};

bool hcl_is(struct bytes evidence);
/* INVALID unless all adds up; only zeros may follow the JSON. */
MUST_CHECK bool hcl_read(struct hcl *hcl, struct bytes evidence, struct error *error);

/* The RSA key "HCLAkPub" of the runtime data; size 0 when it names none. */
struct hcl_key {
    uint8_t modulus[512]; /* big-endian */
    size_t modulus_size;
    uint32_t exponent;
};
/* INVALID when the runtime data is not JSON, or the key is malformed or there twice. */
MUST_CHECK bool hcl_read_key(struct hcl_key *key, struct bytes runtime_data, struct error *error);

#endif
