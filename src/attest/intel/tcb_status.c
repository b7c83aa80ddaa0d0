/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/tcb_status.h"

const char *intel_tcb_status_name(enum intel_tcb_status status)
{
    switch (status) {
#define INTEL_TCB_STATUS_CASE(code, name)                                                          \
    case INTEL_TCB_##code:                                                                         \
        return name;
        INTEL_TCB_STATUSES(INTEL_TCB_STATUS_CASE)
#undef INTEL_TCB_STATUS_CASE
    }
    return "Unknown";
}

bool intel_tcb_status_find(enum intel_tcb_status *status, struct bytes name)
{
    for (int code = INTEL_TCB_UP_TO_DATE; code <= INTEL_TCB_REVOKED; code++) {
        if (bytes_equal_string(name, intel_tcb_status_name((enum intel_tcb_status)code))) {
            *status = (enum intel_tcb_status)code;
            return true;
        }
    }
    return false;
}

static bool is_current(enum intel_tcb_status status)
{
    return status == INTEL_TCB_UP_TO_DATE || status == INTEL_TCB_SW_HARDENING;
}

static bool needs_configuration(enum intel_tcb_status status)
{
    return status == INTEL_TCB_CONFIGURATION || status == INTEL_TCB_CONFIGURATION_SW_HARDENING;
}

enum intel_tcb_status intel_tcb_converge(enum intel_tcb_status status, enum intel_tcb_status other)
{
    if (other == INTEL_TCB_REVOKED)
        return INTEL_TCB_REVOKED;
    if (other != INTEL_TCB_OUT_OF_DATE)
        return status;
    if (is_current(status))
        return INTEL_TCB_OUT_OF_DATE;
    return needs_configuration(status) ? INTEL_TCB_OUT_OF_DATE_CONFIGURATION : status;
}

/* Whether the TDX module that runs now is at the top of what the TCB info knows. */
static bool is_module_current(const struct tcb_info *info, const uint8_t *svn)
{
    const uint8_t *top = tcb_info_top_level(info)->tdx_svn;
    if (svn[2] < top[2])
        return false;
    if (svn[1] == 0)
        return svn[0] >= top[0];
    const struct tdx_module *module = tcb_info_find_module(info, svn[1]);
    /* The highest of all levels is the one that the highest version reaches. */
    const struct isv_level *highest =
        module == NULL ? NULL : isv_levels_find(&module->levels, UINT16_MAX);
    return highest != NULL && svn[0] >= highest->isv_svn;
}

enum intel_tcb_status intel_tcb_relaunch(enum intel_tcb_status status,
                                         const struct tcb_relaunch *relaunch)
{
    bool is_out_of_date =
        status == INTEL_TCB_OUT_OF_DATE || status == INTEL_TCB_OUT_OF_DATE_CONFIGURATION;
    if (!is_out_of_date || relaunch->module_status != INTEL_TCB_OUT_OF_DATE ||
        relaunch->qe_status == INTEL_TCB_OUT_OF_DATE || relaunch->qe_status == INTEL_TCB_REVOKED ||
        !(is_current(relaunch->sgx_status) || needs_configuration(relaunch->sgx_status)) ||
        !is_module_current(relaunch->info, relaunch->tee_tcb_svn_2))
        return status;
    bool is_configuration =
        needs_configuration(relaunch->sgx_status) || status == INTEL_TCB_OUT_OF_DATE_CONFIGURATION;
    return is_configuration ? INTEL_TCB_TD_RELAUNCH_CONFIGURATION : INTEL_TCB_TD_RELAUNCH;
}
