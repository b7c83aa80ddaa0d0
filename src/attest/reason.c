/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/reason.h"

const char *attest_reason_name(enum attest_reason reason)
{
    switch (reason) {
#define ATTEST_REASON_CASE(code, name)                                                             \
    case ATTEST_REASON_##code:                                                                     \
        return name;
        ATTEST_REASONS(ATTEST_REASON_CASE)
#undef ATTEST_REASON_CASE
    }
    return "NONE";
}
