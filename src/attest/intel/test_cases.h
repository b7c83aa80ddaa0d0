/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: the cases of tests/data/attest/intel_cases.json. */
#ifndef ATTEST_INTEL_TEST_CASES_H
#define ATTEST_INTEL_TEST_CASES_H

#include "attest/attest.h"
#include "base/json.h"

struct test_case {
    const char *name;
    struct bytes quote;
    struct attest_options options; /* but for the root */
    struct x509_chain root;        /* none: Intel's */
    json_t *expect;
    uint8_t space[QUOTE_SIZE_MAX];
};

/* All cases; borrowed from the parsed file, which the caller holds in `file`. */
size_t test_cases_open(json_t **file);
bool test_case_read(struct test_case *test_case, const json_t *file, size_t index);
/* The one with this name. */
bool test_case_find(struct test_case *test_case, const json_t *file, const char *name);

#endif
