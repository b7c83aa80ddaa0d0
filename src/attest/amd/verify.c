/* SPDX-License-Identifier: Apache-2.0 */
/* The checks of AMD SEV-SNP reports, in the order of docs/attestation.md. */
#include "attest/amd/certificate_table.h"
#include "attest/amd/hcl.h"
#include "attest/amd/vek.h"
#include "attest/check.h"
#include "crypto/crl.h"
#include "crypto/pem.h"

#include <string.h>

enum {
    VERSION_MIN = 2,
    VERSION_MAX = 5,
    ALGORITHM_P384 = 1,
    CHAIN_COUNT_MAX = 3,
    HWID_SIZE = 64,
    HWID_SIZE_TURIN = 8
};

/* Everything the checks share; each finds what the ones before it left. */
struct verification {
    struct attest_run *run;
    struct snp_report report;
    bool has_wrapper;
    struct hcl hcl;
    struct hcl_key vtpm_ak;
    struct certificate_table table; /* of the evidence or the caller */
    struct x509_chain vek;
    struct x509_chain intermediate;  /* the root may stand behind it */
    bool is_one_chain;               /* in the file of the report key */
    struct error intermediate_error; /* why it can't be read; without text: it can, or is missing */
    struct x509_certificate built_in;
    const struct x509_certificate *root; /* the one trusted; NULL until one is found */
    enum snp_product product;            /* of the chain */
    enum snp_signing_key signing_key;
    struct vek_info vek_info;
    bool is_chip_id_masked;
    struct buffer crl_space;
    struct crl crl;
    bool has_crl;
};

/* The report, and what may stand around it. */
static bool open_evidence(struct verification *verification, struct bytes *report,
                          struct error *error)
{
    struct attest_run *run = verification->run;
    struct bytes table = run->options->collateral.certificate_table;
    struct error failure;
    if (run->evidence.size > SNP_EVIDENCE_SIZE_MAX)
        return attest_refuse(run, ATTEST_REASON_FORMAT, error, "evidence is above %d bytes",
                             SNP_EVIDENCE_SIZE_MAX);
    *report = run->evidence;
    verification->has_wrapper = hcl_is(run->evidence);
    if (verification->has_wrapper) {
        if (!hcl_read(&verification->hcl, run->evidence, &failure))
            return attest_refuse(run, ATTEST_REASON_FORMAT, error, "%s", failure.text);
        if (verification->hcl.report_type == HCL_REPORT_TDX)
            return attest_refuse(run, ATTEST_REASON_UNSUPPORTED_TEE, error,
                                 "wrapper holds a TDREPORT, which proves nothing to others: a "
                                 "quote of it is needed");
        if (verification->hcl.report_type != HCL_REPORT_SNP)
            return attest_refuse(run, ATTEST_REASON_UNSUPPORTED_TEE, error,
                                 "wrapper holds a report of type %u",
                                 verification->hcl.report_type);
        *report = verification->hcl.report;
    } else if (run->evidence.size > SNP_REPORT_SIZE && table.size == 0)
        table = bytes_part(run->evidence, SNP_REPORT_SIZE, run->evidence.size);
    else if (run->evidence.size > SNP_REPORT_SIZE)
        return attest_refuse(run, ATTEST_REASON_FORMAT, error,
                             "certificate table is given twice, or the report is too long");
    if (table.size > 0 && !certificate_table_read(&verification->table, table, &failure))
        return attest_refuse(run, ATTEST_REASON_FORMAT, error, "behind the report: %s",
                             failure.text);
    return true;
}

static bool check_format(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct snp_report *report = &verification->report;
    struct bytes bytes;
    if (run->evidence.size < SNP_REPORT_SIZE)
        return attest_refuse(run, ATTEST_REASON_FORMAT, error, "a report has %d bytes, this %zu",
                             SNP_REPORT_SIZE, run->evidence.size);
    if (!open_evidence(verification, &bytes, error))
        return false;
    ASSERT(snp_report_read(report, bytes));
    if (report->version < VERSION_MIN || report->version > VERSION_MAX)
        return attest_refuse(run, ATTEST_REASON_UNSUPPORTED_VERSION, error,
                             "report has version %u, known are %d to %d", report->version,
                             VERSION_MIN, VERSION_MAX);
    if (report->signature_algorithm != ALGORITHM_P384)
        return attest_refuse(run, ATTEST_REASON_UNSUPPORTED_SIG_ALGO, error,
                             "report is signed with algorithm %u", report->signature_algorithm);
    attest_note(run, "report version %u%s", report->version,
                verification->has_wrapper ? " in Azure's wrapper" : "");
    return true;
}

/* First what the caller gave, then what the host's table has. */
static struct bytes given(struct bytes by_caller, struct bytes by_host)
{
    return by_caller.size > 0 ? by_caller : by_host;
}

/* None of a chain that is malformed somewhere. */
static bool parse_alone(struct x509_chain *chain, struct bytes text, struct error *error)
{
    bool held = x509_chain_parse(chain, text, error);
    if (!held)
        chain->count = 0;
    return held;
}

/* The caller's own, or what stands behind the caller's report key in one file (as Azure, snpguest
 * and others write chains), or the host's. */
static bool read_intermediate(struct verification *verification, struct error *error)
{
    const struct attest_collateral *collateral = &verification->run->options->collateral;
    struct x509_chain *vek = &verification->vek;
    struct x509_chain *found = &verification->intermediate;
    struct error unused;
    if (collateral->intermediate.size > 0)
        return parse_alone(found, collateral->intermediate, error);
    verification->is_one_chain = collateral->vek.size > 0 &&
                                 x509_chain_parse(vek, collateral->vek, &unused) && vek->count > 1;
    if (!verification->is_one_chain)
        return verification->table.ask.size == 0 ||
               parse_alone(found, verification->table.ask, error);
    found->count = vek->count - 1;
    memcpy(found->certificates, &vek->certificates[1],
           found->count * sizeof(found->certificates[0]));
    return true;
}

/* The trust anchor: the caller's, or that of AMD's whose name the intermediate gives as issuer. */
static void find_root(struct verification *verification)
{
    struct error unused;
    verification->root = verification->run->options->root;
    bool has_intermediate = read_intermediate(verification, &verification->intermediate_error) &&
                            verification->intermediate.count > 0;
    for (enum snp_product product = SNP_PRODUCT_MILAN;
         verification->root == NULL && has_intermediate && product <= SNP_PRODUCT_TURIN;
         product++) {
        ASSERT(x509_parse(&verification->built_in, snp_built_in_root(product), &unused));
        if (bytes_equal(verification->intermediate.certificates[0].issuer,
                        verification->built_in.subject))
            verification->root = &verification->built_in;
    }
    static const struct bytes prefix = { (const uint8_t *)"ARK-", 4 };
    if (verification->root != NULL && bytes_starts_with(verification->root->common_name, prefix))
        verification->product = snp_product_find(bytes_part(
            verification->root->common_name, prefix.size, verification->root->common_name.size));
}

static bool check_product(void *context, struct error *error)
{
    struct verification *verification = context;
    const struct snp_report *report = &verification->report;
    struct attest_run *run = verification->run;
    enum snp_product found = snp_report_product(report);
    find_root(verification);
    if (report->version >= 3 && found == SNP_PRODUCT_NONE)
        return attest_refuse(run, ATTEST_REASON_PRODUCT_MISMATCH, error,
                             "processor of family %02x, model %02x is of no known line",
                             report->cpuid_family, report->cpuid_model);
    if (report->version >= 3 && verification->root != NULL && found != verification->product)
        return attest_refuse(run, ATTEST_REASON_PRODUCT_MISMATCH, error,
                             "processor is %s, the certificates are for %s",
                             snp_product_name(found), snp_product_name(verification->product));
    if ((report->policy & SNP_POLICY_ONE) == 0)
        return attest_refuse(run, ATTEST_REASON_FORMAT, error,
                             "guest policy lacks the bit that is always set");
    attest_note(run, "%s",
                snp_product_name(found != SNP_PRODUCT_NONE ? found : verification->product));
    return true;
}

static bool check_signing_key(void *context, struct error *error)
{
    struct verification *verification = context;
    verification->signing_key = snp_report_signing_key(&verification->report);
    if (verification->signing_key == SNP_SIGNING_KEY_NONE)
        return attest_refuse(verification->run, ATTEST_REASON_NOT_SIGNED, error,
                             "report says that no key signed it");
    attest_note(verification->run, "%s",
                verification->signing_key == SNP_SIGNING_KEY_VCEK
                    ? "VCEK: the chip's own"
                    : "VLEK: the cloud provider's, not of one chip");
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

/* Names and key kinds of all three: the VCEK's chain is no chain for a VLEK. */
static bool has_right_kinds(const struct verification *verification)
{
    bool is_vcek = verification->signing_key == SNP_SIGNING_KEY_VCEK;
    const struct x509_certificate *vek = &verification->vek.certificates[0];
    const struct x509_certificate *middle = &verification->intermediate.certificates[0];
    struct bytes product = bytes_part(verification->root->common_name, strlen("ARK-"),
                                      verification->root->common_name.size);
    const char *prefix = is_vcek ? "SEV-" : "SEV-VLEK-";
    bool is_named =
        bytes_starts_with(middle->common_name, bytes_of_string(prefix)) &&
        bytes_equal(bytes_part(middle->common_name, strlen(prefix), middle->common_name.size),
                    product);
    return is_named && has_name(vek, is_vcek ? "SEV-VCEK" : "SEV-VLEK", "") && !vek->is_ca &&
           vek->key.kind == PUBLIC_KEY_P384 && middle->key.kind == PUBLIC_KEY_RSA &&
           verification->root->key.kind == PUBLIC_KEY_RSA;
}

static bool load_chain(struct verification *verification, struct error *error)
{
    struct attest_run *run = verification->run;
    bool is_vcek = verification->signing_key == SNP_SIGNING_KEY_VCEK;
    struct bytes vek = given(run->options->collateral.vek,
                             is_vcek ? verification->table.vcek : verification->table.vlek);
    struct error failure;
    bool is_malformed = verification->intermediate_error.text[0] != '\0';
    if (vek.size == 0 || (verification->intermediate.count == 0 && !is_malformed))
        return attest_refuse(run, ATTEST_REASON_NO_VEK_CERT, error,
                             "no certificate of the %s given",
                             vek.size == 0 ? "report key" : "report key's issuer");
    if (!x509_chain_parse(&verification->vek, vek, &failure))
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error, "report key: %s",
                             failure.text);
    if (is_malformed)
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error, "intermediate: %s",
                             verification->intermediate_error.text);
    if ((verification->vek.count != 1 && !verification->is_one_chain) ||
        verification->intermediate.count >= CHAIN_COUNT_MAX)
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error,
                             "more certificates than report key, intermediate and root");
    if (verification->root == NULL)
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error,
                             "intermediate is of none of AMD's roots");
    return true;
}

static bool check_chain(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct error failure;
    if (!load_chain(verification, error))
        return false;
    const struct x509_certificate *root = verification->root;
    if (root != &verification->built_in &&
        (!x509_is_self_issued(root) || !x509_signature_verify(root, &root->key, &failure)))
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error,
                             "root is not signed by itself");
    struct x509_certificate chain[CHAIN_COUNT_MAX] = { verification->vek.certificates[0] };
    for (size_t i = 0; i < verification->intermediate.count; i++)
        chain[1 + i] = verification->intermediate.certificates[i];
    struct signature_memo *memo = run->options->memo;
    signature_memo_recall_certificate(memo, &chain[0], &chain[1].key);
    signature_memo_recall_certificate(memo, &chain[1], &root->key);
    enum x509_fault fault = X509_FAULT_NONE;
    bool holds = x509_chain_verify(chain, 1 + verification->intermediate.count, root,
                                   run->options->now_s, &fault, &failure);
    bool is_signed = holds || fault == X509_FAULT_EXPIRED || fault == X509_FAULT_NOT_YET_VALID;
    if (is_signed && (!has_right_kinds(verification) || verification->product == SNP_PRODUCT_NONE))
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error,
                             "names or keys in the chain are not those of a %s",
                             verification->signing_key == SNP_SIGNING_KEY_VCEK ? "VCEK" : "VLEK");
    static const enum attest_reason reasons[] = {
        [X509_FAULT_INVALID] = ATTEST_REASON_VEK_CHAIN_INVALID,
        [X509_FAULT_ROOT_UNTRUSTED] = ATTEST_REASON_VEK_CHAIN_INVALID,
        [X509_FAULT_EXPIRED] = ATTEST_REASON_CERT_EXPIRED,
        [X509_FAULT_NOT_YET_VALID] = ATTEST_REASON_CERT_NOT_YET_VALID,
    };
    if (!holds)
        return attest_refuse(run, reasons[fault], error, "%s", failure.text);
    signature_memo_keep_certificate(memo, &chain[0], &chain[1].key);
    signature_memo_keep_certificate(memo, &chain[1], &root->key);
    attest_note(run, "up to %s",
                root == &verification->built_in ? "AMD's root" : "the root that was given");
    return true;
}

static bool check_crl(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct bytes text = given(run->options->collateral.crl, verification->table.crl);
    struct bytes der;
    struct error failure;
    if (text.size == 0)
        return attest_leave_out(run, "no revocation list given");
    if (!pem_unwrap(&der, &verification->crl_space, "X509 CRL", text, &failure) ||
        der.size > SNP_CRL_SIZE_MAX || !crl_parse(&verification->crl, der, &failure))
        return attest_refuse(run, ATTEST_REASON_CRL_SIG_INVALID, error, "%s",
                             "not a revocation list of AMD");
    static const enum attest_reason reasons[] = {
        [CRL_FAULT_ISSUER] = ATTEST_REASON_CRL_SIG_INVALID,
        [CRL_FAULT_SIGNATURE] = ATTEST_REASON_CRL_SIG_INVALID,
        [CRL_FAULT_EXPIRED] = ATTEST_REASON_CRL_EXPIRED,
        [CRL_FAULT_NOT_YET_VALID] = ATTEST_REASON_CRL_NOT_YET_VALID,
    };
    enum crl_fault fault = CRL_FAULT_NONE;
    signature_memo_recall_crl(run->options->memo, &verification->crl, &verification->root->key);
    if (!crl_verify(&verification->crl, verification->root, run->options->now_s, &fault, &failure))
        return attest_refuse(run, reasons[fault], error, "%s", failure.text);
    /* The list is the root's: it speaks of intermediates, never of a report key. */
    if (crl_is_revoked(&verification->crl, verification->intermediate.certificates[0].serial))
        return attest_refuse(run, ATTEST_REASON_CERT_REVOKED, error,
                             "the report key's issuer was revoked");
    signature_memo_keep_crl(run->options->memo, &verification->crl, &verification->root->key);
    verification->has_crl = true;
    attest_note(run, "%zu revoked, not this one", verification->crl.entry_count);
    return true;
}

static bool check_extensions(struct verification *verification, struct error *error)
{
    struct attest_run *run = verification->run;
    const struct vek_info *info = &verification->vek_info;
    struct error failure;
    if (!vek_read(&verification->vek_info, &verification->vek.certificates[0], &failure))
        return attest_refuse(run, ATTEST_REASON_VEK_CHAIN_INVALID, error, "report key: %s",
                             failure.text);
    bool is_vcek = verification->signing_key == SNP_SIGNING_KEY_VCEK;
    if ((info->csp_id.size > 0) == is_vcek || (info->hwid.size > 0 && !is_vcek))
        return attest_refuse(
            run, ATTEST_REASON_VEK_CHAIN_INVALID, error,
            "report key is not of one kind: a VCEK names a chip, a VLEK a provider");
    if (info->product != verification->product)
        return attest_refuse(run, ATTEST_REASON_PRODUCT_MISMATCH, error,
                             "report key is of another product than its issuer");
    return true;
}

static bool check_tcb(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    const struct vek_info *info = &verification->vek_info;
    if (!check_extensions(verification, error))
        return false;
    struct snp_tcb reported = snp_tcb_of(verification->report.reported_tcb, verification->product);
    bool needs_fmc = verification->product == SNP_PRODUCT_TURIN;
    if (!info->has_tcb || (needs_fmc && !info->has_fmc))
        return attest_refuse(run, ATTEST_REASON_TCB_MISMATCH, error,
                             "report key does not tell its TCB");
    const struct {
        const char *name;
        unsigned certified;
        unsigned reported;
    } components[] = {
        { "FMC", info->tcb.fmc, reported.fmc },
        { "boot loader", info->tcb.boot_loader, reported.boot_loader },
        { "TEE", info->tcb.tee, reported.tee },
        { "SNP", info->tcb.snp, reported.snp },
        { "microcode", info->tcb.microcode, reported.microcode },
        { "component 4", info->spare[0], 0 },
        { "component 5", info->spare[1], 0 },
        { "component 6", info->spare[2], 0 },
        { "component 7", info->spare[3], 0 },
    };
    for (size_t i = 0; i < ARRAY_COUNT(components); i++) {
        if (components[i].certified != components[i].reported)
            return attest_refuse(run, ATTEST_REASON_TCB_MISMATCH, error,
                                 "%s: the report says %u, its key is for %u", components[i].name,
                                 components[i].reported, components[i].certified);
    }
    attest_note(run, "boot loader %u, TEE %u, SNP %u, microcode %u", reported.boot_loader,
                reported.tee, reported.snp, reported.microcode);
    return true;
}

static bool check_chip(void *context, struct error *error)
{
    static const uint8_t zeros[HWID_SIZE];
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    struct bytes hwid = verification->vek_info.hwid;
    struct bytes chip_id = BYTES_OF(verification->report.chip_id);
    verification->is_chip_id_masked = bytes_equal(chip_id, BYTES_OF(zeros));
    if (verification->signing_key == SNP_SIGNING_KEY_VLEK) {
        attest_note(run, "a VLEK is of no chip");
        return true;
    }
    size_t size = verification->product == SNP_PRODUCT_TURIN ? HWID_SIZE_TURIN : HWID_SIZE;
    if (hwid.size != size)
        return attest_refuse(run, ATTEST_REASON_CHIP_ID_MISMATCH, error,
                             "report key does not tell its chip");
    if (verification->is_chip_id_masked) {
        attest_note(run, "masked in the report, known by its key");
        return true;
    }
    if (!bytes_equal(bytes_part(chip_id, 0, size), hwid) ||
        !bytes_equal(bytes_part(chip_id, size, chip_id.size), bytes_of(zeros, HWID_SIZE - size)))
        return attest_refuse(run, ATTEST_REASON_CHIP_ID_MISMATCH, error,
                             "report key is of another chip");
    attest_note(run, "as its key says");
    return true;
}

static bool check_signature(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    const struct snp_report *report = &verification->report;
    struct digest48 digest = sha384_of(report->signed_part);
    struct error failure;
    if (!report->is_signature_sound || !ecdsa384_verify(&verification->vek.certificates[0].key.p384,
                                                        &digest, &report->signature, &failure))
        return attest_refuse(run, ATTEST_REASON_SIGNATURE_INVALID, error,
                             "report is not signed by its key");
    attest_note(run, "signed by the report key");
    return true;
}

/* Genuine, but with meanings that this verifier does not know: better refused than half read. */
static bool check_layout(void *context, struct error *error)
{
    struct verification *verification = context;
    if (verification->report.has_unknown)
        return attest_refuse(verification->run, ATTEST_REASON_FORMAT, error,
                             "report of version %u holds more than that version has",
                             verification->report.version);
    attest_note(verification->run, "nothing in it is unknown");
    return true;
}

static bool check_runtime_data(void *context, struct error *error)
{
    struct verification *verification = context;
    struct attest_run *run = verification->run;
    uint8_t expected[REPORT_DATA_SIZE] = { 0 };
    struct digest32 digest = sha256_of(verification->hcl.runtime_data);
    struct error failure;
    memcpy(expected, digest.bytes, sizeof(digest.bytes));
    if (!bytes_equal(BYTES_OF(expected), BYTES_OF(verification->report.report_data)))
        return attest_refuse(run, ATTEST_REASON_RUNTIME_DATA_MISMATCH, error,
                             "report was not made for this runtime data");
    if (!hcl_read_key(&verification->vtpm_ak, verification->hcl.runtime_data, &failure))
        return attest_refuse(run, ATTEST_REASON_FORMAT, error, "%s", failure.text);
    attest_note(run, "%s",
                verification->vtpm_ak.modulus_size > 0 ? "names the key of a virtual TPM"
                                                       : "names no key of a virtual TPM");
    return true;
}

static bool check_report_data(void *context, struct error *error)
{
    struct verification *verification = context;
    return attest_check_report_data(verification->run, BYTES_OF(verification->report.report_data),
                                    error);
}

static const struct attest_check checks[] = {
    { "format", check_format },
    { "product", check_product },
    { "signing key", check_signing_key },
    { "certificate chain", check_chain },
    { "revocation list", check_crl },
    { "reported TCB", check_tcb },
    { "chip id", check_chip },
    { "report signature", check_signature },
    { "layout", check_layout },
};

static const struct attest_check wrapper_checks[] = {
    { "runtime data", check_runtime_data },
};

static const struct attest_check last_checks[] = {
    { "report data", check_report_data },
};

static void fill_snp(struct snp_claims *claims, const struct verification *verification)
{
    const struct snp_report *report = &verification->report;
    const struct vek_info *info = &verification->vek_info;
    *claims = (struct snp_claims){
        .report = *report,
        .product = verification->product,
        .signing_key = verification->signing_key,
        .reported_tcb = snp_tcb_of(report->reported_tcb, verification->product),
        .current_tcb = snp_tcb_of(report->current_tcb, verification->product),
        .committed_tcb = snp_tcb_of(report->committed_tcb, verification->product),
        .launch_tcb = snp_tcb_of(report->launch_tcb, verification->product),
        .is_debug = (report->policy & SNP_POLICY_DEBUG) != 0,
        .is_migratable = (report->policy & SNP_POLICY_MIGRATE_MA) != 0,
        .is_smt_allowed = (report->policy & SNP_POLICY_SMT) != 0,
        .is_author_key_enabled = snp_report_is_author_key_enabled(report),
        .is_chip_key_masked = snp_report_is_chip_key_masked(report),
        .is_chip_id_masked = verification->is_chip_id_masked,
        .has_crl = verification->has_crl,
        .has_runtime_data = verification->has_wrapper,
    };
    claims->report.signed_part = (struct bytes){ 0 };
    claims->is_tcb_consistent = snp_tcb_at_most(&claims->committed_tcb, &claims->current_tcb) &&
                                snp_tcb_at_most(&claims->reported_tcb, &claims->current_tcb) &&
                                snp_tcb_at_most(&claims->launch_tcb, &claims->current_tcb);
    if (claims->signing_key == SNP_SIGNING_KEY_VCEK) {
        memcpy(claims->hwid, info->hwid.data, info->hwid.size);
        claims->hwid_size = info->hwid.size;
    } else if (info->csp_id.size > 0)
        memcpy(claims->csp_id, info->csp_id.data,
               MIN(info->csp_id.size, sizeof(claims->csp_id) - 1));
    if (claims->has_crl) {
        claims->crl_this_update_s = verification->crl.this_update_s;
        claims->crl_next_update_s = verification->crl.next_update_s;
    }
    if (claims->has_runtime_data) {
        claims->runtime_data_digest = sha256_of(verification->hcl.runtime_data);
        claims->vtpm_ak_size = verification->vtpm_ak.modulus_size;
        claims->vtpm_ak_exponent = verification->vtpm_ak.exponent;
        memcpy(claims->vtpm_ak, verification->vtpm_ak.modulus, claims->vtpm_ak_size);
    }
}

static void fill_claims(struct attest_claims *claims, const struct verification *verification)
{
    fill_snp(&claims->snp, verification);
    claims->is_debug = claims->snp.is_debug;
    memcpy(claims->report_data, verification->report.report_data, sizeof(claims->report_data));
    claims->root_key_id = public_key_id(&verification->root->key);
    claims->not_after_s = MIN(verification->vek.certificates[0].not_after_s,
                              verification->intermediate.certificates[0].not_after_s);
    claims->not_after_s = MIN(claims->not_after_s, verification->root->not_after_s);
}

static bool run_all(struct verification *verification, struct error *error)
{
    struct attest_run *run = verification->run;
    return attest_run_checks(run, checks, ARRAY_COUNT(checks), verification, error) &&
           (!verification->has_wrapper ||
            attest_run_checks(run, wrapper_checks, ARRAY_COUNT(wrapper_checks), verification,
                              error)) &&
           attest_run_checks(run, last_checks, ARRAY_COUNT(last_checks), verification, error);
}

bool snp_verify(struct attest_run *run, struct error *error)
{
    struct verification verification = { .run = run };
    buffer_init(&verification.crl_space, SNP_CRL_SIZE_MAX);
    bool is_valid = run_all(&verification, error);
    if (is_valid)
        fill_claims(&run->verdict->claims, &verification);
    buffer_done(&verification.crl_space);
    return is_valid;
}
