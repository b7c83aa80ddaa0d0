/* SPDX-License-Identifier: Apache-2.0 */
/* A policy's file form: TOML, versioned, every key known or refused.  docs/policy.md describes it;
 * what a file does not say is as policy_default has it. */
#ifndef ATTEST_POLICY_POLICY_FILE_H
#define ATTEST_POLICY_POLICY_FILE_H

#include "attest/policy/policy.h"

enum {
    POLICY_FILE_VERSION = 1,
    POLICY_FILE_SIZE_MAX = 256 << 10
};

/* INVALID: "FILE:LINE: KEY: what". */
MUST_CHECK bool policy_parse(struct policy *policy, const char *file_name, struct bytes text,
                             struct error *error);

#endif
