/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of Intel quotes, in the order of docs/attestation.md, and what they leave as claims.
 */
#include "attest/intel/verification.h"

#include <string.h>

enum {
    SGX_FLAG_DEBUG = 1 << 1
};

static bool check_format(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct quote *quote = &verification->quote;
    if (!quote_parse(&verification->quote, verification->run->evidence,
                     &verification->run->verdict->reason, error))
        return false;
    verification->run->verdict->tee = quote->tee == QUOTE_TEE_TDX ? ATTEST_TEE_TDX : ATTEST_TEE_SGX;
    attest_note(verification->run, "quote version %u of %s", quote->version,
                quote->tee == QUOTE_TEE_TDX ? "TDX" : "SGX");
    return true;
}

static bool check_qe_report(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct quote *quote = &verification->quote;
    struct digest32 digest = sha256_of(quote->qe_report_part);
    if (!ecdsa_verify(&verification->chain->certificates[PCK_LEAF].key.p256, &digest,
                      &quote->qe_report_signature, error))
        return attest_refuse(verification->run, ATTEST_REASON_QE_REPORT_SIG_INVALID, error,
                             "report of the quoting enclave is not signed by the platform");
    attest_note(verification->run, "quoting enclave version %u, vouched for by the platform",
                quote->qe_report.isv_svn);
    return true;
}

static bool check_binding(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct quote *quote = &verification->quote;
    uint8_t space[sizeof(quote->attestation_key.bytes) + QUOTE_SIZE_MAX];
    struct writer writer = writer_into(space, sizeof(space));
    write_bytes(&writer, BYTES_OF(quote->attestation_key.bytes));
    write_bytes(&writer, quote->auth_data);
    struct digest32 digest = sha256_of(writer_view(&writer));
    uint8_t expected[REPORT_DATA_SIZE] = { 0 };
    memcpy(expected, digest.bytes, sizeof(digest.bytes));
    if (!bytes_equal(BYTES_OF(expected), BYTES_OF(quote->qe_report.report_data)))
        return attest_refuse(verification->run, ATTEST_REASON_ATT_KEY_BINDING_INVALID, error,
                             "attestation key is not the quoting enclave's");
    attest_note(verification->run, "attestation key is the quoting enclave's");
    return true;
}

static bool check_quote_signature(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct quote *quote = &verification->quote;
    struct digest32 digest = sha256_of(quote->signed_part);
    if (!ecdsa_verify(&quote->attestation_key, &digest, &quote->signature, error))
        return attest_refuse(verification->run, ATTEST_REASON_QUOTE_SIG_INVALID, error,
                             "quote is not signed by the attestation key");
    attest_note(verification->run, "signed by the attestation key");
    return true;
}

static struct bytes report_data_of(const struct quote *quote)
{
    return quote->tee == QUOTE_TEE_TDX ? BYTES_OF(quote->td.report_data)
                                       : BYTES_OF(quote->sgx.report_data);
}

static bool check_report_data(void *context, struct error *error)
{
    struct verification *verification = context;
    return attest_check_report_data(verification->run, report_data_of(&verification->quote), error);
}

static const struct attest_check checks[] = {
    { "format", check_format },
    { "certificate chain", intel_check_chain },
    { "root revocation list", intel_check_root_crl },
    { "PCK revocation list", intel_check_pck_crl },
    { "TCB signing certificate", intel_check_tcb_revocation },
    { "platform", intel_check_extension },
    { "TCB signing chain", intel_check_tcb_chain },
    { "TCB info", intel_check_tcb_info },
    { "QE identity", intel_check_qe_identity },
    { "TCB info fits", intel_check_tcb_fits },
    { "QE report signature", check_qe_report },
    { "attestation key binding", check_binding },
    { "quoting enclave", intel_check_qe },
    { "quote signature", check_quote_signature },
    { "TDX module", intel_check_module },
    { "TCB level", intel_check_level },
    { "report data", check_report_data },
};

/* For TDX any of the first eight attributes takes a domain out of production, not only DEBUG. */
static bool is_debug(const struct quote *quote)
{
    return quote->tee == QUOTE_TEE_TDX ? quote->td.td_attributes[0] != 0
                                       : (quote->sgx.attributes[0] & SGX_FLAG_DEBUG) != 0;
}

static void fill_claims(struct attest_claims *claims, const struct verification *verification)
{
    const struct quote *quote = &verification->quote;
    struct bytes report_data = report_data_of(quote);
    claims->is_simulated = verification->is_simulated;
    claims->is_debug = is_debug(quote);
    memcpy(claims->report_data, report_data.data, report_data.size);
    claims->intel = verification->claims;
    claims->intel.quote_version = quote->version;
    claims->intel.tee = quote->tee;
    claims->intel.sgx = quote->sgx;
    claims->intel.td = quote->td;
    claims->intel.pck = verification->pck;
    claims->intel.qe_isv_svn = quote->qe_report.isv_svn;
    claims->intel.trailing_bytes = quote->padding_size;
    memcpy(claims->intel.qe_mr_signer, quote->qe_report.mr_signer,
           sizeof(claims->intel.qe_mr_signer));
    claims->root_key_id = public_key_id(&verification->root->key);
    claims->not_after_s = verification->root->not_after_s;
    for (size_t i = 0; i < verification->chain->count; i++)
        claims->not_after_s =
            MIN(claims->not_after_s, verification->chain->certificates[i].not_after_s);
}

bool intel_verify(struct attest_run *run, struct error *error)
{
    /* Tens of KiB that are written before they are read: not worth filling with zeros. */
    __attribute__((uninitialized)) struct verification_space own;
    struct verification verification = { .run = run, .own = &own };
    if (!attest_run_checks(run, checks, ARRAY_COUNT(checks), &verification, error))
        return false;
    fill_claims(&run->verdict->claims, &verification);
    return true;
}
