/* SPDX-License-Identifier: Apache-2.0 */
/* What AMD's certificates of report keys (VCEK, VLEK) say about the platform: the extensions under
 * 1.3.6.1.4.1.3704.1 (AMD 57230). */
#ifndef ATTEST_AMD_VEK_H
#define ATTEST_AMD_VEK_H

#include "attest/amd/snp.h"
#include "crypto/x509.h"

struct vek_info {
    enum snp_product product; /* NONE when the certificate does not tell, or tells another */
    unsigned structure_version;
    bool has_tcb;       /* boot loader, TEE, SNP and microcode are there */
    bool has_fmc;       /* Turin */
    struct snp_tcb tcb; /* its raw form is zeros */
    uint8_t spare[4];   /* components 4 to 7, without a meaning; zero when not there */
    struct bytes hwid;  /* 64 or 8 bytes, in the certificate; empty without */
    struct bytes csp_id;
};

/* INVALID when one of them is there and malformed. */
MUST_CHECK bool vek_read(struct vek_info *info, const struct x509_certificate *certificate,
                         struct error *error);

#endif
