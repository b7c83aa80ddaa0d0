/* SPDX-License-Identifier: Apache-2.0 */
/* TCB info: what parses has an envelope, and its levels can be searched. */
#include "attest/intel/tcb_status.h"
#include "fuzz/fuzz.h"

#include <string.h>

void fuzz_one(struct bytes input)
{
    struct error error;
    struct tcb_info info;
    struct tcb_envelope envelope;
    bool is_found = tcb_envelope_parse(&envelope, input, "tcbInfo");
    if (!tcb_info_parse(&info, input, &error))
        return;
    ASSERT(is_found && bytes_equal(envelope.body, info.envelope.body));
    ASSERT(info.level_count > 0 && (!info.is_tdx || info.version == 3));
    uint8_t svn[TCB_COMPONENT_COUNT];
    struct tcb_versions versions = { svn, UINT16_MAX, info.is_tdx ? svn : NULL };
    memset(svn, UINT8_MAX, sizeof(svn));
    ASSERT(tcb_info_find_level(&info, &versions) != NULL);
    memset(svn, 2, sizeof(svn));
    const struct tcb_level *level = tcb_info_find_level(&info, &versions);
    struct intel_claims claims = { 0 };
    if (level != NULL)
        tcb_advisories_collect(&claims, level->state.advisories);
    struct tcb_relaunch relaunch = { &info, svn, INTEL_TCB_UP_TO_DATE, INTEL_TCB_OUT_OF_DATE,
                                     INTEL_TCB_UP_TO_DATE };
    (void)intel_tcb_relaunch(INTEL_TCB_OUT_OF_DATE, &relaunch);
    for (unsigned major = 0; major < 256; major++) {
        const struct tdx_module *module = tcb_info_find_module(&info, (uint8_t)major);
        if (module != NULL)
            (void)isv_levels_find(&module->levels, 3);
    }
}
