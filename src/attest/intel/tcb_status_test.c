/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/intel/tcb_status.h"

#include "tests/harness.h"

#include <string.h>

/* Every pair: a part that is revoked or out of date counts, any other leaves the status. */
static void converges_as_intels_library(void)
{
    for (int s = INTEL_TCB_UP_TO_DATE; s <= INTEL_TCB_REVOKED; s++) {
        for (int o = INTEL_TCB_UNKNOWN; o <= INTEL_TCB_REVOKED; o++) {
            enum intel_tcb_status status = (enum intel_tcb_status)s;
            enum intel_tcb_status other = (enum intel_tcb_status)o;
            enum intel_tcb_status expected = status;
            if (other == INTEL_TCB_REVOKED)
                expected = INTEL_TCB_REVOKED;
            else if (other == INTEL_TCB_OUT_OF_DATE &&
                     (status == INTEL_TCB_UP_TO_DATE || status == INTEL_TCB_SW_HARDENING))
                expected = INTEL_TCB_OUT_OF_DATE;
            else if (other == INTEL_TCB_OUT_OF_DATE &&
                     (status == INTEL_TCB_CONFIGURATION ||
                      status == INTEL_TCB_CONFIGURATION_SW_HARDENING))
                expected = INTEL_TCB_OUT_OF_DATE_CONFIGURATION;
            CHECK_STRING(intel_tcb_status_name(intel_tcb_converge(status, other)),
                         intel_tcb_status_name(expected));
        }
    }
}

static void finds_statuses_by_name(void)
{
    enum intel_tcb_status status;
    for (int s = INTEL_TCB_UP_TO_DATE; s <= INTEL_TCB_REVOKED; s++) {
        const char *name = intel_tcb_status_name((enum intel_tcb_status)s);
        CHECK(intel_tcb_status_find(&status, bytes_of_string(name)) &&
              status == (enum intel_tcb_status)s);
    }
    CHECK(!intel_tcb_status_find(&status, BYTES_LITERAL("Unknown")));
    CHECK(!intel_tcb_status_find(&status, BYTES_LITERAL("uptodate")));
    CHECK(!intel_tcb_status_find(&status, BYTES_LITERAL("")));
}

/* Two levels and a module of version 1 at 5. */
static struct tcb_info some_info(void)
{
    struct tcb_info info = { .is_tdx = true, .version = 3, .level_count = 2, .module_count = 1 };
    memset(info.levels[0].tdx_svn, 3, TCB_COMPONENT_COUNT);
    memset(info.levels[1].tdx_svn, 6, TCB_COMPONENT_COUNT);
    memset(info.levels[1].sgx_svn, 1, TCB_COMPONENT_COUNT);
    info.modules[0].id = BYTES_LITERAL("TDX_01");
    info.modules[0].levels.count = 2;
    info.modules[0].levels.items[0].isv_svn = 2;
    info.modules[0].levels.items[1].isv_svn = 5;
    return info;
}

static enum intel_tcb_status relaunch(const struct tcb_relaunch *base, enum intel_tcb_status status,
                                      const uint8_t *svn)
{
    struct tcb_relaunch relaunch = *base;
    relaunch.tee_tcb_svn_2 = svn;
    return intel_tcb_relaunch(status, &relaunch);
}

static void advises_to_relaunch_under_a_current_module(void)
{
    static const uint8_t current[TCB_COMPONENT_COUNT] = { 5, 1, 6 };
    static const uint8_t old[TCB_COMPONENT_COUNT] = { 4, 1, 6 };
    static const uint8_t old_loader[TCB_COMPONENT_COUNT] = { 5, 1, 5 };
    static const uint8_t unknown[TCB_COMPONENT_COUNT] = { 9, 2, 9 };
    static const uint8_t flat[TCB_COMPONENT_COUNT] = { 6, 0, 6 };
    static const uint8_t flat_old[TCB_COMPONENT_COUNT] = { 5, 0, 6 };
    struct tcb_info info = some_info();
    const enum intel_tcb_status out = INTEL_TCB_OUT_OF_DATE;
    struct tcb_relaunch base = { &info, NULL, INTEL_TCB_UP_TO_DATE, out, INTEL_TCB_UP_TO_DATE };
    CHECK(relaunch(&base, out, current) == INTEL_TCB_TD_RELAUNCH);
    CHECK(relaunch(&base, out, flat) == INTEL_TCB_TD_RELAUNCH);
    CHECK(relaunch(&base, out, old) == out);
    CHECK(relaunch(&base, out, old_loader) == out);
    CHECK(relaunch(&base, out, unknown) == out);
    CHECK(relaunch(&base, out, flat_old) == out);
    CHECK(relaunch(&base, INTEL_TCB_UP_TO_DATE, current) == INTEL_TCB_UP_TO_DATE);
    CHECK(relaunch(&base, INTEL_TCB_OUT_OF_DATE_CONFIGURATION, current) ==
          INTEL_TCB_TD_RELAUNCH_CONFIGURATION);
    base.sgx_status = INTEL_TCB_CONFIGURATION;
    CHECK(relaunch(&base, out, current) == INTEL_TCB_TD_RELAUNCH_CONFIGURATION);
    base.sgx_status = out;
    CHECK(relaunch(&base, out, current) == out);
    base.sgx_status = INTEL_TCB_SW_HARDENING;
    CHECK(relaunch(&base, out, current) == INTEL_TCB_TD_RELAUNCH);
    base.module_status = INTEL_TCB_UP_TO_DATE;
    CHECK(relaunch(&base, out, current) == out);
    base.module_status = out;
    base.qe_status = out;
    CHECK(relaunch(&base, out, current) == out);
    base.qe_status = INTEL_TCB_REVOKED;
    CHECK(relaunch(&base, out, current) == out);
}

static const struct test tests[] = {
    TEST(converges_as_intels_library),
    TEST(finds_statuses_by_name),
    TEST(advises_to_relaunch_under_a_current_module),
};
TEST_MAIN(tests)
