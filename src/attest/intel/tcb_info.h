/* SPDX-License-Identifier: Apache-2.0 */
/* Intel's TCB info, versions 2 (SGX) and 3 (SGX and TDX): which security versions of a platform
 * family are up to date.  JSON to fields, and the search for a platform's level; the signature is
 * the caller's to verify. */
#ifndef ATTEST_INTEL_TCB_INFO_H
#define ATTEST_INTEL_TCB_INFO_H

#include "attest/intel/tcb_level.h"

enum {
    TCB_COMPONENT_COUNT = 16
};

struct tcb_level {
    uint8_t sgx_svn[TCB_COMPONENT_COUNT];
    uint16_t pce_svn;
    uint8_t tdx_svn[TCB_COMPONENT_COUNT]; /* zeros for SGX */
    struct tcb_state state;
};

/* An identity of the TDX module. */
struct tdx_module {
    struct bytes id; /* "TDX_03"; empty for the one of TCB info's `tdxModule` */
    uint8_t mr_signer[48];
    uint8_t attributes[8];
    uint8_t attributes_mask[8];
    struct isv_levels levels; /* none for `tdxModule` */
};

/* Views point into the parsed bytes. */
struct tcb_info {
    struct tcb_envelope envelope;
    bool is_tdx;
    unsigned version;
    int64_t issued_s;
    int64_t next_update_s;
    uint8_t fmspc[6];
    uint8_t pce_id[2];
    uint32_t evaluation_data_number;
    struct tdx_module module; /* of TDX module major version 0 */
    struct tdx_module modules[TCB_MODULE_COUNT_MAX];
    size_t module_count;
    struct tcb_level levels[TCB_LEVEL_COUNT_MAX]; /* in the order of the file, at least one */
    size_t level_count;
};

/* What a platform has. */
struct tcb_versions {
    const uint8_t *sgx_svn; /* TCB_COMPONENT_COUNT, of the PCK certificate */
    uint16_t pce_svn;
    const uint8_t *tee_tcb_svn; /* TCB_COMPONENT_COUNT, of the TD report; NULL: only the SGX part */
};

/* INVALID for all that does not fit; members that Intel adds are skipped. */
MUST_CHECK bool tcb_info_parse(struct tcb_info *info, struct bytes source, struct error *error);

/* The highest level that the platform reaches in every part, NULL for none.  Components 0 and 1 of
 * a TDX module of version 1 and above are judged by its identity, not here. */
const struct tcb_level *tcb_info_find_level(const struct tcb_info *info,
                                            const struct tcb_versions *versions);
/* The highest level of all. */
const struct tcb_level *tcb_info_top_level(const struct tcb_info *info);
/* The identity of a module's major version, NULL for none. */
const struct tdx_module *tcb_info_find_module(const struct tcb_info *info, uint8_t major);

#endif
