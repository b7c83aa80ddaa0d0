/* SPDX-License-Identifier: Apache-2.0 */
#include "collateral/wish.h"

#include "attest/amd/certificate_table.h"
#include "attest/amd/hcl.h"
#include "attest/amd/vek.h"
#include "attest/intel/open_enclave.h"
#include "base/file.h"
#include "core/hex.h"
#include "crypto/hash.h"
#include "crypto/pem.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char intel_default[] = "https://api.trustedservices.intel.com";
static const char root_crl_default[] =
    "https://certificates.trustedservices.intel.com/IntelSGXRootCA.der";
static const char amd_default[] = "https://kdsintf.amd.com";

const char *collateral_part_name(enum collateral_part part)
{
    static const char *const names[COLLATERAL_PART_COUNT] = {
        [COLLATERAL_PCK_CHAIN] = "pck-chain",       [COLLATERAL_TCB_INFO] = "tcb-info",
        [COLLATERAL_QE_IDENTITY] = "qe-identity",   [COLLATERAL_PCK_CRL] = "pck-crl",
        [COLLATERAL_ROOT_CRL] = "root-crl",         [COLLATERAL_VEK] = "vek",
        [COLLATERAL_INTERMEDIATE] = "intermediate", [COLLATERAL_CRL] = "crl",
    };
    return names[part];
}

static struct collateral_wish *wish_add(struct collateral_wishes *wishes, enum collateral_part part)
{
    struct collateral_wish *wish = &wishes->items[wishes->count++];
    *wish = (struct collateral_wish){ .part = part };
    return wish;
}

/* --- Intel --- */

static const char *intel_url(const struct collateral_places *places)
{
    return places->intel_url == NULL ? intel_default : places->intel_url;
}

/* The certificate that a quote names by its encrypted PPID: 256 or 384 bytes, then the numbers. */
static void wish_pck(struct collateral_wishes *wishes, const struct quote *quote,
                     const struct collateral_places *places)
{
    enum {
        TAIL_SIZE = 16 + 2 + 2
    };
    char ppid[2 * 384 + 1], cpu_svn[33], pce_svn[5], pce_id[5];
    size_t size = quote->pck_name.size - TAIL_SIZE;
    hex_encode(ppid, bytes_part(quote->pck_name, 0, size));
    hex_encode(cpu_svn, bytes_part(quote->pck_name, size, 16));
    hex_encode(pce_svn, bytes_part(quote->pck_name, size + 16, 2));
    hex_encode(pce_id, bytes_part(quote->pck_name, size + 18, 2));
    struct collateral_wish *wish = wish_add(wishes, COLLATERAL_PCK_CHAIN);
    snprintf(wish->url, sizeof(wish->url),
             "%s/sgx/certification/v4/pckcert?encrypted_ppid=%s&cpusvn=%s&pcesvn=%s&pceid=%s",
             intel_url(places), ppid, cpu_svn, pce_svn, pce_id);
    wishes->is_partial = true;
}

static void wish_lists(struct collateral_wishes *wishes, const struct x509_chain *chain,
                       const struct attest_collateral *given,
                       const struct collateral_places *places)
{
    if (given->pck_crl.size == 0) {
        struct bytes ca =
            chain->count > 1 ? chain->certificates[1].common_name : (struct bytes){ 0 };
        bool is_processor = false;
        for (size_t i = 0; i + 9 <= ca.size; i++)
            is_processor = is_processor || memcmp(ca.data + i, "Processor", 9) == 0;
        struct collateral_wish *wish = wish_add(wishes, COLLATERAL_PCK_CRL);
        snprintf(wish->url, sizeof(wish->url), "%s/sgx/certification/v4/pckcrl?ca=%s&encoding=der",
                 intel_url(places), is_processor ? "processor" : "platform");
    }
    if (given->root_crl.size == 0) {
        struct collateral_wish *wish = wish_add(wishes, COLLATERAL_ROOT_CRL);
        if (places->root_crl_url != NULL || places->intel_url == NULL)
            snprintf(wish->url, sizeof(wish->url), "%s",
                     places->root_crl_url == NULL ? root_crl_default : places->root_crl_url);
        else
            snprintf(wish->url, sizeof(wish->url), "%s/sgx/certification/v4/rootcacrl",
                     places->intel_url);
    }
}

static void wish_levels(struct collateral_wishes *wishes, bool is_tdx, const struct pck_info *pck,
                        const struct attest_collateral *given,
                        const struct collateral_places *places)
{
    const char *tee = is_tdx ? "tdx" : "sgx";
    const char *update = places->update == NULL ? "" : places->update;
    const char *key = places->update == NULL ? "" : "update=";
    if (given->tcb_info.size == 0 || given->tcb_chain.size == 0) {
        char fmspc[2 * sizeof(pck->fmspc) + 1];
        hex_encode(fmspc, BYTES_OF(pck->fmspc));
        struct collateral_wish *wish = wish_add(wishes, COLLATERAL_TCB_INFO);
        wish->is_tdx = is_tdx;
        memcpy(wish->fmspc, pck->fmspc, sizeof(wish->fmspc));
        snprintf(wish->url, sizeof(wish->url), "%s/%s/certification/v4/tcb?fmspc=%s%s%s%s",
                 intel_url(places), tee, fmspc, key[0] == '\0' ? "" : "&", key, update);
    }
    if (given->qe_identity.size == 0) {
        struct collateral_wish *wish = wish_add(wishes, COLLATERAL_QE_IDENTITY);
        wish->is_tdx = is_tdx;
        snprintf(wish->url, sizeof(wish->url), "%s/%s/certification/v4/qe/identity%s%s%s",
                 intel_url(places), tee, key[0] == '\0' ? "" : "?", key, update);
    }
}

struct intel_work {
    struct quote quote;
    struct x509_chain chain;
    struct pck_info pck;
};

static bool wishes_of_quote(struct collateral_wishes *wishes, struct intel_work *work,
                            struct bytes evidence, const struct attest_collateral *given,
                            const struct collateral_places *places, struct error *error)
{
    enum attest_reason reason;
    struct bytes extension;
    bool is_critical;
    if (!quote_parse(&work->quote, evidence, &reason, error))
        return false;
    struct bytes pem = work->quote.pck_chain.size == 0 ? given->pck_chain : work->quote.pck_chain;
    if (pem.size == 0 && work->quote.pck_name.size == 0)
        return error_set(error, ERROR_NOT_FOUND,
                         "the quote neither carries its PCK certificate nor names it in a way that "
                         "can be asked for");
    if (pem.size == 0) {
        wish_pck(wishes, &work->quote, places);
        return true;
    }
    if (!x509_chain_parse(&work->chain, pem, error))
        return error_within(error, "PCK chain");
    if (!x509_extension_find(&work->chain.certificates[0], pck_extension_oid, &extension,
                             &is_critical))
        return error_set(error, ERROR_INVALID, "PCK certificate names no platform");
    if (!pck_parse(&work->pck, extension, error))
        return false;
    wish_levels(wishes, work->quote.tee == QUOTE_TEE_TDX, &work->pck, given, places);
    wish_lists(wishes, &work->chain, given, places);
    return true;
}

static bool wishes_of_intel(struct collateral_wishes *wishes, struct bytes evidence,
                            const struct attest_collateral *given,
                            const struct collateral_places *places, struct error *error)
{
    struct intel_work *work = calloc(1, sizeof(*work));
    AUTO_BUFFER struct buffer space;
    buffer_init(&space, RATLS_CERTIFICATE_SIZE_MAX);
    if (work == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look at evidence");
    struct bytes quote = evidence, der;
    struct ratls_certificate certificate;
    struct open_enclave wrapped;
    bool done = true;
    if (ratls_is_certificate(evidence)) {
        done = pem_unwrap(&der, &space, "CERTIFICATE", evidence, error) &&
               ratls_parse(&certificate, der, error);
        if (done)
            quote = certificate.quote;
    } else if (open_enclave_is(evidence)) {
        done = open_enclave_read(&wrapped, evidence, error);
        if (done)
            quote = wrapped.quote;
    }
    done = done && wishes_of_quote(wishes, work, quote, given, places, error);
    free(work);
    return done;
}

/* --- AMD --- */

/* As the service writes it. */
static const char *product_text(enum snp_product product)
{
    static const char *const names[] = { [SNP_PRODUCT_NONE] = "",
                                         [SNP_PRODUCT_MILAN] = "Milan",
                                         [SNP_PRODUCT_GENOA] = "Genoa",
                                         [SNP_PRODUCT_TURIN] = "Turin" };
    return names[product];
}

static bool is_zero(struct bytes bytes)
{
    for (size_t i = 0; i < bytes.size; i++)
        if (bytes.data[i] != 0)
            return false;
    return true;
}

static void wish_vcek(struct collateral_wishes *wishes, const struct snp_report *report,
                      enum snp_product product, const char *url)
{
    struct collateral_wish *wish = wish_add(wishes, COLLATERAL_VEK);
    struct snp_tcb tcb = snp_tcb_of(report->reported_tcb, product);
    char hwid[2 * sizeof(wish->hwid) + 1], fmc[16] = "";
    bool is_turin = product == SNP_PRODUCT_TURIN;
    wish->product = product;
    wish->tcb = tcb;
    wish->hwid_size = is_turin ? 8 : sizeof(wish->hwid);
    memcpy(wish->hwid, report->chip_id, wish->hwid_size);
    hex_encode(hwid, bytes_of(wish->hwid, wish->hwid_size));
    if (is_turin)
        snprintf(fmc, sizeof(fmc), "fmcSPL=%02u&", tcb.fmc);
    snprintf(wish->url, sizeof(wish->url),
             "%s/vcek/v1/%s/%s?%sblSPL=%02u&teeSPL=%02u&snpSPL=%02u&ucodeSPL=%02u", url,
             product_text(product), hwid, fmc, tcb.boot_loader, tcb.tee, tcb.snp, tcb.microcode);
}

/* Whether the issuer of a report's key stands behind it in the same file. */
static bool has_issuer(struct bytes vek)
{
    struct x509_chain *chain = calloc(1, sizeof(*chain));
    struct error unused;
    bool has =
        chain != NULL && vek.size > 0 && x509_chain_parse(chain, vek, &unused) && chain->count > 1;
    free(chain);
    return has;
}

/* By the report, or by the certificate of its key. */
static enum snp_product product_of(const struct snp_report *report, struct bytes vek)
{
    enum snp_product product = snp_report_product(report);
    struct x509_chain *chain = calloc(1, sizeof(*chain));
    struct vek_info info;
    struct error unused;
    if (product == SNP_PRODUCT_NONE && chain != NULL && vek.size > 0 &&
        x509_chain_parse(chain, vek, &unused) && vek_read(&info, &chain->certificates[0], &unused))
        product = info.product;
    free(chain);
    return product;
}

static bool wishes_of_snp(struct collateral_wishes *wishes, struct bytes evidence,
                          const struct attest_collateral *given,
                          const struct collateral_places *places, enum snp_product assumed,
                          struct error *error)
{
    struct snp_report report;
    struct hcl hcl = { .report = evidence };
    struct certificate_table table = { 0 };
    if (hcl_is(evidence) && !hcl_read(&hcl, evidence, error))
        return false;
    if (!snp_report_read(&report, hcl.report))
        return error_set(error, ERROR_INVALID, "report is cut");
    if (evidence.size > SNP_REPORT_SIZE && hcl.report.data == evidence.data &&
        !certificate_table_read(&table, bytes_part(evidence, SNP_REPORT_SIZE, SIZE_MAX), error))
        return false;
    bool is_vlek = snp_report_signing_key(&report) == SNP_SIGNING_KEY_VLEK;
    struct bytes carried = is_vlek ? table.vlek : table.vcek;
    struct bytes vek = given->vek.size > 0 ? given->vek : carried;
    enum snp_product product = product_of(&report, vek);
    const char *url = places->amd_url == NULL ? amd_default : places->amd_url;
    if (product == SNP_PRODUCT_NONE) {
        /* Version 2: Milan and Genoa have it, and neither says which it is. */
        product = assumed == SNP_PRODUCT_NONE ? SNP_PRODUCT_MILAN : assumed;
        if (assumed == SNP_PRODUCT_NONE)
            wishes->other_product = SNP_PRODUCT_GENOA;
    }
    if (vek.size == 0 && is_vlek)
        return error_set(error, ERROR_NOT_FOUND,
                         "a VLEK comes from the provider with the report: no service has it");
    if (vek.size == 0 && is_zero(BYTES_OF(report.chip_id)))
        return error_set(error, ERROR_NOT_FOUND,
                         "the report hides its chip: its VCEK can't be asked for");
    if (vek.size == 0)
        wish_vcek(wishes, &report, product, url);
    if (given->intermediate.size == 0 && table.ask.size == 0 && !has_issuer(given->vek)) {
        struct collateral_wish *wish = wish_add(wishes, COLLATERAL_INTERMEDIATE);
        wish->product = product;
        wish->is_vlek = is_vlek;
        snprintf(wish->url, sizeof(wish->url), "%s/%s/v1/%s/cert_chain", url,
                 is_vlek ? "vlek" : "vcek", product_text(product));
    }
    if (given->crl.size == 0 && table.crl.size == 0) {
        struct collateral_wish *wish = wish_add(wishes, COLLATERAL_CRL);
        wish->product = product;
        snprintf(wish->url, sizeof(wish->url), "%s/%s/v1/%s/crl", url, is_vlek ? "vlek" : "vcek",
                 product_text(product));
    }
    return true;
}

bool collateral_wishes_of(struct collateral_wishes *wishes, struct bytes evidence,
                          const struct attest_collateral *given,
                          const struct collateral_places *places, enum snp_product product,
                          struct error *error)
{
    *wishes = (struct collateral_wishes){ 0 };
    switch (attest_tee_of(evidence)) {
    case ATTEST_TEE_TDX:
    case ATTEST_TEE_SGX:
        return wishes_of_intel(wishes, evidence, given, places, error);
    case ATTEST_TEE_SNP:
        return wishes_of_snp(wishes, evidence, given, places, product, error);
    case ATTEST_TEE_NITRO:
        return true; /* AWS publishes nothing */
    case ATTEST_TEE_ANY:
        break;
    }
    return error_set(error, ERROR_INVALID, "evidence of no kind that is known");
}

bool collateral_subject_of(struct digest32 *subject, struct bytes evidence, struct error *error)
{
    struct attest_collateral none = { 0 };
    struct collateral_places usual = { 0 };
    AUTO_FREE struct collateral_wishes *wishes = malloc(sizeof(*wishes));
    if (wishes == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory to look at evidence");
    if (!collateral_wishes_of(wishes, evidence, &none, &usual, SNP_PRODUCT_NONE, error))
        return false;
    AUTO(hash) struct hash *hash = hash_new(HASH_SHA256);
    for (size_t i = 0; i < wishes->count; i++)
        hash_update(hash, BYTES_OF(wishes->items[i].url)); /* zeros behind each */
    *subject = hash_finish32(hash);
    return true;
}
