/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of Intel quotes, in the order of docs/attestation.md. */
#include "attest/check.h"
#include "attest/sim.h"
#include "core/hex.h"

#include <string.h>

enum {
    PCK_CHAIN_COUNT = 3,
    SGX_FLAG_DEBUG = 1 << 1
};

/* Everything the checks share; each finds what the ones before it left. */
struct verification {
    struct attest_run *run;
    struct quote quote;
    struct x509_chain chain;
    struct x509_certificate intel;
    const struct x509_certificate *root; /* the one trusted */
    struct pck_info pck;
    bool is_simulated;
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

/* Decides which root counts.  The chain's own copy never does, except under trust_simulated. */
static bool choose_root(struct verification *verification, struct error *error)
{
    const struct attest_options *options = verification->run->options;
    const struct x509_certificate *carried = &verification->chain.certificates[PCK_CHAIN_COUNT - 1];
    struct error unused;
    ASSERT(x509_parse(&verification->intel, attest_intel_root(), &unused));
    verification->root = options->root != NULL ? options->root : &verification->intel;
    bool is_anchored = public_key_equal(&carried->key, &verification->root->key);
    verification->is_simulated = attest_root_is_simulated(carried);
    if (verification->is_simulated && !options->trust_simulated)
        return attest_refuse(
            verification->run, ATTEST_REASON_SIMULATED, error,
            "evidence is simulated: its root is a development root and proves nothing "
            "about hardware");
    /* A simulated root that the caller gave is a pin. */
    if (is_anchored || !verification->is_simulated || attest_root_is_simulated(verification->root))
        return true;
    if (!x509_is_self_issued(carried) || !x509_signature_verify(carried, &carried->key, &unused))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "simulated root is not self-signed");
    verification->root = carried;
    return true;
}

static bool has_name(const struct x509_certificate *certificate, const char *prefix,
                     const char *name)
{
    size_t size = strlen(prefix);
    return bytes_equal_string(bytes_part(certificate->common_name, 0, size), prefix) &&
           bytes_equal_string(
               bytes_part(certificate->common_name, size, certificate->common_name.size), name);
}

static bool check_names(struct verification *verification, struct error *error)
{
    const struct x509_certificate *chain = verification->chain.certificates;
    const char *prefix = verification->is_simulated ? SIM_NAME_PREFIX : "Intel SGX ";
    if (!has_name(&chain[0], prefix, "PCK Certificate") ||
        (!has_name(&chain[1], prefix, "PCK Platform CA") &&
         !has_name(&chain[1], prefix, "PCK Processor CA")))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "names in the chain are not those of PCK certificates");
    return true;
}

static bool check_chain(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct x509_chain *chain = &verification->chain;
    struct bytes pem = verification->quote.pck_chain;
    if (pem.size == 0)
        pem = verification->run->options->collateral.pck_chain;
    if (pem.size == 0)
        return attest_refuse(verification->run, ATTEST_REASON_NO_PCK_CERT, error,
                             "quote carries no PCK certificates");
    if (!x509_chain_parse_pem(&verification->chain, pem, error)) {
        verification->run->verdict->reason = ATTEST_REASON_PCK_CHAIN_INVALID;
        return false;
    }
    if (chain->count != PCK_CHAIN_COUNT)
        return attest_refuse(verification->run, ATTEST_REASON_PCK_CHAIN_INVALID, error,
                             "chain is not leaf, intermediate and root");
    if (!choose_root(verification, error))
        return false;
    enum x509_fault fault = X509_FAULT_NONE;
    bool holds = x509_chain_verify(chain->certificates, chain->count, verification->root,
                                   verification->run->options->now_s, &fault, error);
    bool is_signed = holds || fault == X509_FAULT_EXPIRED || fault == X509_FAULT_NOT_YET_VALID;
    struct error name_error;
    if (is_signed && !check_names(verification, &name_error)) {
        *error = name_error;
        return false;
    }
    static const enum attest_reason reasons[] = {
        [X509_FAULT_INVALID] = ATTEST_REASON_PCK_CHAIN_INVALID,
        [X509_FAULT_ROOT_UNTRUSTED] = ATTEST_REASON_ROOT_UNTRUSTED,
        [X509_FAULT_EXPIRED] = ATTEST_REASON_PCK_CHAIN_EXPIRED,
        [X509_FAULT_NOT_YET_VALID] = ATTEST_REASON_PCK_CHAIN_NOT_YET_VALID,
    };
    if (!holds) {
        verification->run->verdict->reason = reasons[fault];
        return false;
    }
    attest_note(verification->run, "%s",
                verification->is_simulated
                    ? "SIMULATED: development root, proves nothing about hardware"
                    : "up to the trusted root");
    return true;
}

static bool check_extension(void *context, struct error *error)
{
    struct verification *verification = context;
    struct bytes extension;
    bool is_critical;
    if (!x509_extension_find(&verification->chain.certificates[0], pck_extension_oid, &extension,
                             &is_critical))
        return attest_refuse(verification->run, ATTEST_REASON_PCK_EXTENSION_MISSING, error,
                             "PCK certificate has no SGX extension");
    if (!pck_parse(&verification->pck, extension, error)) {
        verification->run->verdict->reason = ATTEST_REASON_PCK_EXTENSION_MISSING;
        return false;
    }
    char fmspc[2 * sizeof(verification->pck.fmspc) + 1];
    hex_encode(fmspc, BYTES_OF(verification->pck.fmspc));
    attest_note(verification->run, "platform family %s", fmspc);
    return true;
}

static bool check_qe_report(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct quote *quote = &verification->quote;
    struct digest32 digest = sha256_of(quote->qe_report_part);
    if (!ecdsa_verify(&verification->chain.certificates[0].key.p256, &digest,
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
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    hash_update(hash, BYTES_OF(quote->attestation_key.bytes));
    hash_update(hash, quote->auth_data);
    struct digest32 digest = hash_finish32(hash);
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
    { "certificate chain", check_chain },
    { "platform", check_extension },
    { "QE report signature", check_qe_report },
    { "attestation key binding", check_binding },
    { "quote signature", check_quote_signature },
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
    claims->intel = (struct intel_claims){ .quote_version = quote->version,
                                           .tee = quote->tee,
                                           .sgx = quote->sgx,
                                           .td = quote->td,
                                           .pck = verification->pck,
                                           .qe_isv_svn = quote->qe_report.isv_svn,
                                           .trailing_bytes = quote->padding_size };
    memcpy(claims->intel.qe_mr_signer, quote->qe_report.mr_signer,
           sizeof(claims->intel.qe_mr_signer));
    claims->root_key_id = public_key_id(&verification->root->key);
    claims->not_after_s = verification->root->not_after_s;
    for (size_t i = 0; i < verification->chain.count; i++)
        claims->not_after_s =
            MIN(claims->not_after_s, verification->chain.certificates[i].not_after_s);
}

bool intel_verify(struct attest_run *run, struct error *error)
{
    struct verification verification = { .run = run };
    if (!attest_run_checks(run, checks, ARRAY_COUNT(checks), &verification, error))
        return false;
    fill_claims(&run->verdict->claims, &verification);
    return true;
}

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
    for (int code = INTEL_TCB_UP_TO_DATE; code <= INTEL_TCB_REVOKED; code++)
        if (bytes_equal_string(name, intel_tcb_status_name((enum intel_tcb_status)code))) {
            *status = (enum intel_tcb_status)code;
            return true;
        }
    return false;
}
