/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of certificates with evidence in them: those of the quote, between two of their own.
 */
#include "attest/check.h"
#include "crypto/pem.h"

struct verification {
    struct attest_run *run;
    struct ratls_certificate certificate;
    struct ratls_claims claims;
    uint8_t der[RATLS_CERTIFICATE_SIZE_MAX];
};

static bool check_certificate(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct bytes der = run->evidence;
    if (bytes_starts_with(der, BYTES_LITERAL("-----BEGIN "))) {
        size_t size;
        struct reader text = reader_of(der);
        if (!pem_read(&text, "CERTIFICATE", verification->der, sizeof(verification->der), &size,
                      error) ||
            !pem_is_end(&text))
            return attest_refuse(run, ATTEST_REASON_FORMAT, error,
                                 "not one certificate in PEM of at most %d bytes",
                                 RATLS_CERTIFICATE_SIZE_MAX);
        der = bytes_of(verification->der, size);
    }
    struct error found;
    if (!ratls_parse(&verification->certificate, der, &found))
        return attest_refuse(run,
                             found.code == ERROR_UNSUPPORTED ? ATTEST_REASON_UNSUPPORTED_TEE
                                                             : ATTEST_REASON_FORMAT,
                             error, "%s", found.text);
    attest_note(run, "certificate with a quote of %zu bytes in extension %s",
                verification->certificate.quote.size, verification->certificate.oid);
    return true;
}

static bool check_self(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct error found;
    if (!verification->certificate.is_self_signed)
        return attest_leave_out(run, "certificate is issued by another: its signature proves "
                                     "nothing about the enclave");
    if (!ratls_verify_self(&verification->certificate, &found))
        return attest_refuse(run,
                             found.code == ERROR_UNSUPPORTED ? ATTEST_REASON_UNSUPPORTED_ALG
                                                             : ATTEST_REASON_CERT_BINDING_INVALID,
                             error, "%s", found.text);
    attest_note(run, "signed by its own key");
    return true;
}

static bool check_binding(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct error found;
    if (!ratls_check_binding(&verification->claims, &verification->certificate,
                             run->verdict->claims.report_data, &found))
        return attest_refuse(run, ATTEST_REASON_CERT_BINDING_INVALID, error, "%s", found.text);
    attest_note(run, "the quote is about the certificate's key");
    return true;
}

static const struct attest_check checks_before[] = {
    { "certificate", check_certificate },
    { "certificate signature", check_self },
};

static const struct attest_check checks_after[] = {
    { "certificate binding", check_binding },
};

/* Collateral that the certificate carries stands in for what the caller did not give: it is signed
 * like any other. */
static void add_endorsements(struct attest_collateral *collateral,
                             const struct ratls_endorsements *found)
{
    if (collateral->tcb_info.size == 0 && collateral->tcb_chain.size == 0 &&
        collateral->qe_identity.size == 0) {
        collateral->tcb_info = found->tcb_info;
        collateral->tcb_chain = found->tcb_chain;
        collateral->qe_identity = found->qe_identity;
    }
    if (collateral->pck_crl.size == 0 && collateral->root_crl.size == 0) {
        collateral->pck_crl = found->pck_crl;
        collateral->root_crl = found->root_crl;
    }
}

bool ratls_verify(struct attest_run *run, struct error *error)
{
    struct verification verification = { .run = run };
    struct attest_run inner = *run;
    struct attest_options options = *run->options;
    if (!attest_run_checks(run, checks_before, ARRAY_COUNT(checks_before), &verification, error))
        return false;
    const struct ratls_certificate *certificate = &verification.certificate;
    struct ratls_endorsements endorsements;
    struct error unused;
    if (certificate->layout == RATLS_TAGGED && certificate->endorsements.size > 0 &&
        ratls_read_endorsements(&endorsements, certificate->endorsements, &unused))
        add_endorsements(&options.collateral, &endorsements);
    inner.evidence = certificate->quote;
    inner.options = &options;
    if (!intel_verify(&inner, error))
        return false;
    if (!attest_run_checks(run, checks_after, ARRAY_COUNT(checks_after), &verification, error)) {
        run->verdict->claims = (struct attest_claims){ 0 };
        return false;
    }
    run->verdict->claims.ratls = verification.claims;
    return true;
}

void ratls_claims_write(struct json_writer *json, const struct ratls_claims *claims)
{
    json_write_name(json, "self_signed");
    json_write_bool(json, claims->is_self_signed);
    json_write_name(json, "evidence_oid");
    json_write_string(json, claims->oid);
    json_write_name(json, "critical");
    json_write_bool(json, claims->is_critical);
    json_write_name(json, "legacy_extension");
    if (claims->other_oid == NULL)
        json_write_null(json);
    else
        json_write_string(json, claims->other_oid);
    if (claims->layout != RATLS_TAGGED)
        return;
    json_write_name(json, "cbor_tag");
    json_write_unsigned(json, claims->tag);
    json_write_name(json, "claims");
    json_write_array_begin(json);
    for (size_t i = 0; i < claims->name_count; i++)
        json_write_string(json, claims->names[i]);
    json_write_array_end(json);
    json_write_name(json, "pubkey_hash_alg");
    json_write_unsigned(json, claims->hash_algorithm);
    json_write_name(json, "pubkey_hash");
    json_write_hex(json, bytes_of(claims->key_hash, claims->key_hash_size));
    json_write_name(json, "nonce");
    if (claims->nonce_size == 0)
        json_write_null(json);
    else
        json_write_hex(json, bytes_of(claims->nonce, claims->nonce_size));
    /* A verdict that is valid says no less. */
    json_write_name(json, "claims_sha256_equals_report_data_0_31");
    json_write_bool(json, true);
    json_write_name(json, "pubkey_hash_is_sha256_of_spki");
    json_write_bool(json, claims->hash_algorithm == 1);
}
