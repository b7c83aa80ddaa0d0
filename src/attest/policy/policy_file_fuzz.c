/* SPDX-License-Identifier: Apache-2.0 */
/* Any text as a policy file: parsed or refused. */
#include "attest/policy/policy_file.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    static struct policy policy;
    struct error error;
    if (policy_parse(&policy, "policy.toml", input, &error))
        ASSERT(policy.measurement_count <= POLICY_MEASUREMENT_COUNT_MAX &&
               policy.pin_count <= POLICY_PIN_COUNT_MAX);
}
