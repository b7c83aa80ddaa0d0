/* SPDX-License-Identifier: Apache-2.0 */
/* What a PCK certificate says about its platform: Intel's SGX extension, OID
 * 1.2.840.113741.1.13.1.  Items are looked up by OID; each known one at most once, the first five
 * must be there. */
#ifndef ATTEST_PCK_H
#define ATTEST_PCK_H

#include "base/error.h"
#include "core/bytes.h"
#include "crypto/der.h"
#include "crypto/x509.h"

enum pck_sgx_type {
    PCK_SGX_STANDARD,
    PCK_SGX_SCALABLE,
    PCK_SGX_SCALABLE_INTEGRITY
};

struct pck_info {
    uint8_t ppid[16];
    uint8_t tcb_component_svn[16];
    uint16_t pce_svn;
    uint8_t cpu_svn[16];
    uint8_t pce_id[2];
    uint8_t fmspc[6];
    enum pck_sgx_type sgx_type;
    bool has_platform_instance_id; /* these two come from the Platform CA only */
    uint8_t platform_instance_id[16];
    bool has_configuration;
    bool is_dynamic_platform;
    bool has_cached_keys;
    bool has_smt;
};

/* The content bytes of the extension's OID. */
extern const struct bytes pck_extension_oid;

/* The extension's value. */
MUST_CHECK bool pck_parse(struct pck_info *info, struct bytes extension, struct error *error);
void pck_write(struct der_writer *writer, const struct pck_info *info);

#endif
