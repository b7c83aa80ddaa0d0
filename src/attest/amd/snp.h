/* SPDX-License-Identifier: Apache-2.0 */
/* AMD SEV-SNP attestation reports, versions 2 to 5 (AMD 56860), and what a verified one says.
 *
 * Byte strings are in the order of the report; numbers there are little-endian.  A report ends with
 * its signature; bytes behind it are not signed, and only a certificate table may stand there. */
#ifndef ATTEST_AMD_SNP_H
#define ATTEST_AMD_SNP_H

#include "core/reader.h"
#include "crypto/ecdsa384.h"

enum {
    SNP_REPORT_SIZE = 1184,
    SNP_SIGNED_SIZE = 0x2a0
};

/* The lines of processors that have certificate chains of their own. */
enum snp_product {
    SNP_PRODUCT_NONE,
    SNP_PRODUCT_MILAN,
    SNP_PRODUCT_GENOA, /* Bergamo and Siena too */
    SNP_PRODUCT_TURIN
};

enum snp_signing_key {
    SNP_SIGNING_KEY_VCEK = 0, /* of one chip */
    SNP_SIGNING_KEY_VLEK = 1, /* of a cloud provider */
    SNP_SIGNING_KEY_NONE = 7
};

/* Bits of struct snp_report.policy; which others there are depends on the firmware. */
#define SNP_POLICY_SMT        (UINT64_C(1) << 16)
#define SNP_POLICY_ONE        (UINT64_C(1) << 17) /* reserved, always set */
#define SNP_POLICY_MIGRATE_MA (UINT64_C(1) << 18)
#define SNP_POLICY_DEBUG      (UINT64_C(1) << 19)

/* Security version numbers.  Compared by component, never as one number. */
struct snp_tcb {
    uint8_t raw[8];
    uint8_t fmc; /* Turin only, else 0 */
    uint8_t boot_loader;
    uint8_t tee;
    uint8_t snp;
    uint8_t microcode;
};

struct snp_firmware {
    uint8_t build;
    uint8_t minor;
    uint8_t major;
};

struct snp_report {
    uint32_t version;
    uint32_t guest_svn;
    uint64_t policy;
    uint8_t family_id[16];
    uint8_t image_id[16];
    uint32_t vmpl;
    uint32_t signature_algorithm;
    uint64_t platform_info;
    uint32_t key_info;
    uint8_t report_data[64];
    uint8_t measurement[48]; /* the launch digest */
    uint8_t host_data[32];
    uint8_t id_key_digest[48];
    uint8_t author_key_digest[48];
    uint8_t report_id[32];
    uint8_t report_id_ma[32];
    uint8_t cpuid_family; /* zero before version 3 */
    uint8_t cpuid_model;
    uint8_t cpuid_stepping;
    uint8_t chip_id[64];
    uint8_t current_tcb[8];
    uint8_t reported_tcb[8];
    uint8_t committed_tcb[8];
    uint8_t launch_tcb[8];
    struct snp_firmware current;
    struct snp_firmware committed;
    uint64_t launch_mit_vector; /* zero before version 5 */
    uint64_t current_mit_vector;
    bool has_unknown; /* something stands where this layout has zeros */
    struct bytes signed_part;
    bool is_signature_sound; /* r and s have no bytes where they need zeros */
    struct ecdsa384_signature signature;
};

struct snp_claims {
    struct snp_report report; /* its views are empty */
    enum snp_product product;
    enum snp_signing_key signing_key;
    struct snp_tcb reported_tcb; /* what the signing key stands for */
    struct snp_tcb current_tcb;
    struct snp_tcb committed_tcb; /* the firmware can't be rolled back below it */
    struct snp_tcb launch_tcb;
    bool is_debug;
    bool is_migratable;
    bool is_smt_allowed;
    bool is_author_key_enabled;
    bool is_chip_key_masked;
    /* The report does not tell its chip: all zeros.  With a VCEK the key still belongs to one. */
    bool is_chip_id_masked;
    uint8_t hwid[64]; /* of the VCEK, zeros behind hwid_size; size 0 for a VLEK */
    size_t hwid_size;
    char csp_id[64]; /* the VLEK's provider, "" for a VCEK */
    /* COMMITTED, REPORTED and LAUNCH are each at most CURRENT, component by component. */
    bool is_tcb_consistent;
    bool has_crl; /* a revocation list was given, and held */
    int64_t crl_this_update_s;
    int64_t crl_next_update_s;
    /* Azure's wrapper: what the report data is the digest of. */
    bool has_runtime_data;
    struct digest32 runtime_data_digest;
    size_t vtpm_ak_size; /* bytes of the vTPM's RSA modulus, big-endian; 0: not told */
    uint8_t vtpm_ak[512];
    uint32_t vtpm_ak_exponent;
};

/* Splits the first SNP_REPORT_SIZE bytes; false when there are fewer.  Judges nothing. */
MUST_CHECK bool snp_report_read(struct snp_report *report, struct bytes evidence);
enum snp_signing_key snp_report_signing_key(const struct snp_report *report);
bool snp_report_is_author_key_enabled(const struct snp_report *report);
bool snp_report_is_chip_key_masked(const struct snp_report *report);
/* By the processor's CPUID; NONE before version 3 and for others. */
enum snp_product snp_report_product(const struct snp_report *report);

/* "milan", "genoa", "turin". */
const char *snp_product_name(enum snp_product product);
/* By the name in AMD's certificates ("Milan"; a stepping may follow as "-B0"). */
enum snp_product snp_product_find(struct bytes name);

/* The ARK of a product, DER: the trust anchors of real reports. */
struct bytes snp_built_in_root(enum snp_product product);

/* The layout depends on the product. */
struct snp_tcb snp_tcb_of(const uint8_t *raw, enum snp_product product);
bool snp_tcb_at_most(const struct snp_tcb *a, const struct snp_tcb *b);

/* A number of 72 bytes, little-endian, into 48 bytes, big-endian; false when it is larger. */
MUST_CHECK bool snp_read_number(struct reader *reader, uint8_t *number);

#endif
