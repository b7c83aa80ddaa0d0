/* SPDX-License-Identifier: Apache-2.0 */
/* QE identity: what parses has an envelope, and can be compared with a report. */
#include "attest/intel/qe_identity.h"
#include "fuzz/fuzz.h"

void fuzz_one(struct bytes input)
{
    struct error error;
    struct qe_identity identity;
    struct tcb_envelope envelope;
    bool is_found = tcb_envelope_parse(&envelope, input, "enclaveIdentity");
    if (!qe_identity_parse(&identity, input, &error))
        return;
    ASSERT(is_found && bytes_equal(envelope.body, identity.envelope.body));
    ASSERT(isv_levels_find(&identity.levels, UINT16_MAX) != NULL);
    struct sgx_report report = { .isv_prod_id = identity.isv_prod_id };
    (void)!qe_identity_match(&identity, &report, &error);
}
