/* SPDX-License-Identifier: Apache-2.0 */
/* How the statuses of platform, TDX module and quoting enclave become one, as Intel's quote
 * verification library does it. */
#ifndef ATTEST_INTEL_TCB_STATUS_H
#define ATTEST_INTEL_TCB_STATUS_H

#include "attest/intel/tcb_info.h"

/* The status of a platform one part of which (`other`: TDX module, quoting enclave) is revoked or
 * out of date. */
enum intel_tcb_status intel_tcb_converge(enum intel_tcb_status status, enum intel_tcb_status other);

/* What a TD report 1.5 tells about a module that was updated while the domain ran. */
struct tcb_relaunch {
    const struct tcb_info *info;
    const uint8_t *tee_tcb_svn_2; /* of the module that runs now */
    enum intel_tcb_status
        sgx_status; /* of the highest level for the SGX parts alone; UNKNOWN: none */
    enum intel_tcb_status module_status;
    enum intel_tcb_status qe_status;
};

/* "TDRelaunchAdvised" in place of "OutOfDate" when only the domain started under an old module. */
enum intel_tcb_status intel_tcb_relaunch(enum intel_tcb_status status,
                                         const struct tcb_relaunch *relaunch);

#endif
