/* SPDX-License-Identifier: Apache-2.0 */
#include "attest/reason.h"

const char *attest_reason_name(enum attest_reason reason)
{
    switch (reason) {
#define ATTEST_REASON_CASE(code, subject)                                                          \
    case ATTEST_REASON_##code:                                                                     \
        return #code;
        ATTEST_REASONS(ATTEST_REASON_CASE)
#undef ATTEST_REASON_CASE
    }
    return "NONE";
}

enum attest_subject attest_reason_subject(enum attest_reason reason)
{
    switch (reason) {
#define ATTEST_REASON_CASE(code, subject)                                                          \
    case ATTEST_REASON_##code:                                                                     \
        return ATTEST_SUBJECT_##subject;
        ATTEST_REASONS(ATTEST_REASON_CASE)
#undef ATTEST_REASON_CASE
    }
    return ATTEST_SUBJECT_EVIDENCE;
}
