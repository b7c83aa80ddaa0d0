/* SPDX-License-Identifier: Apache-2.0 */
/* For tests: reports of our own, under certificates of our own, with any one thing wrong. */
#ifndef ATTEST_AMD_TEST_PKI_H
#define ATTEST_AMD_TEST_PKI_H

#include "attest/attest.h"
#include "crypto/fixture.h"

enum {
    SNP_MADE_NOW_S = 1750377600, /* 2025-06-20 */
    SNP_MADE_DAY_S = 86400,
    SNP_PATCH_COUNT_MAX = 8
};

enum {
    SNP_TAIL_PRODUCT = 1 << 10,
    SNP_TAIL_HWID = 1 << 11,
    SNP_TAIL_PROVIDER = 1 << 12
};

enum snp_level {
    SNP_LEVEL_NONE,
    SNP_LEVEL_VEK,
    SNP_LEVEL_INTERMEDIATE,
    SNP_LEVEL_ROOT
};

struct snp_patch {
    size_t offset;
    uint8_t value;
};

/* What to make; snp_plan_of gives one that holds. */
struct snp_plan {
    const char *product; /* "Milan" */
    uint32_t version;
    uint8_t cpuid_family;
    uint8_t cpuid_model;
    bool is_vlek;
    uint8_t components[10];  /* of the TCB, by the number of their extension; the report's too */
    const char *vek_product; /* in the report key's extension */
    size_t hwid_size;
    bool is_hwid_wrapped; /* in an OCTET STRING of its own */
    uint16_t left_out;    /* bits: component extensions by number; 0 the structure version */
    bool is_product_left_out;
    bool is_hwid_left_out;
    bool has_no_provider;  /* a VLEK without, or a VCEK with a provider's id */
    bool has_hwid_too;     /* a VLEK with a hardware id */
    bool has_place;        /* country and so on in all names, as AMD's have them */
    uint8_t component_tag; /* DER type of the components */
    uint16_t tailed;       /* bits as in left_out, and SNP_TAIL_...: a byte behind the value */
    const char *provider;  /* NULL: a usual one */
    uint8_t text_tag;      /* DER type of product and provider; 0: the right one */
    const char *vek_name;  /* common names; NULL: the right ones */
    const char *intermediate_name;
    const char *root_name;
    const char *vek_issuer_name;
    enum fixture_algorithm vek_signing;          /* by the intermediate */
    enum fixture_algorithm intermediate_signing; /* by the root */
    enum fixture_constraints vek_constraints;
    enum fixture_constraints intermediate_constraints;
    enum fixture_constraints root_constraints;
    const char *intermediate_usage;
    const char *root_usage;
    enum snp_level critical; /* whose unknown extension is critical */
    enum snp_level expired;
    enum snp_level not_yet;
    enum snp_level other_key; /* signed by a key that is not its issuer's */
    bool is_vek_p256;
    bool is_intermediate_p384; /* and signs with ECDSA */
    bool is_root_p384;
    bool is_serial_negative;
    struct snp_patch patches[SNP_PATCH_COUNT_MAX]; /* of the report, before it is signed */
    size_t patch_count;
    struct snp_patch later[SNP_PATCH_COUNT_MAX]; /* and behind */
    size_t later_count;
};

struct snp_made {
    struct buffer root_der;
    struct buffer intermediate_der;
    struct buffer vek_der;
    struct x509_certificate root;
    uint8_t report[SNP_REPORT_SIZE];
};

void snp_pki_init(void);
void snp_pki_done(void);
const struct fixture_key *snp_pki_root_key(void);
const struct fixture_key *snp_pki_vek_key(void);
const struct fixture_key *snp_pki_other_key(void); /* RSA */

struct snp_plan snp_plan_of(const char *product, uint32_t version);
void snp_plan_patch(struct snp_plan *plan, size_t offset, uint8_t value);
void snp_plan_patch_later(struct snp_plan *plan, size_t offset, uint8_t value);
/* False when the root was made to be unreadable. */
MUST_CHECK bool snp_made_init(struct snp_made *made, const struct snp_plan *plan);
void snp_made_done(struct snp_made *made);
#define AUTO_MADE __attribute__((cleanup(snp_made_done)))
/* Signs what the report now says. */
void snp_made_sign(struct snp_made *made);
struct attest_options snp_made_options(const struct snp_made *made);

#endif
