/* SPDX-License-Identifier: Apache-2.0 */
/* Intel quotes, versions 3 (SGX), 4 and 5 (SGX and TDX), with ECDSA-P256 attestation keys: bytes to
 * fields.  Verifies nothing; see attest.h.
 *
 * Every length must be used up exactly.  Behind the signature data only zeros may follow: some
 * platforms pad there, nobody signs it. */
#ifndef ATTEST_QUOTE_H
#define ATTEST_QUOTE_H

#include "attest/limits.h"
#include "attest/reason.h"
#include "base/error.h"
#include "core/bytes.h"
#include "core/writer.h"
#include "crypto/ecdsa.h"

enum {
    SGX_REPORT_SIZE = 384,
    TD_REPORT_10_SIZE = 584,
    TD_REPORT_15_SIZE = 648,
    REPORT_DATA_SIZE = 64
};

/* The body of an enclave's report. */
struct sgx_report {
    uint8_t cpu_svn[16];
    uint32_t misc_select;
    uint8_t isv_ext_prod_id[16];
    uint8_t attributes[16]; /* 8 bytes of flags, 8 of XFRM */
    uint8_t mr_enclave[32];
    uint8_t mr_signer[32];
    uint8_t config_id[64];
    uint16_t isv_prod_id;
    uint16_t isv_svn;
    uint16_t config_svn;
    uint8_t isv_family_id[16];
    uint8_t report_data[REPORT_DATA_SIZE];
};

/* The body of a trust domain's report. */
struct td_report {
    uint8_t tee_tcb_svn[16];
    uint8_t mr_seam[48];
    uint8_t mr_signer_seam[48];
    uint8_t seam_attributes[8];
    uint8_t td_attributes[8];
    uint8_t xfam[8];
    uint8_t mr_td[48];
    uint8_t mr_config_id[48];
    uint8_t mr_owner[48];
    uint8_t mr_owner_config[48];
    uint8_t rtmr[4][48];
    uint8_t report_data[REPORT_DATA_SIZE];
    bool is_15; /* TD report 1.5: the two fields below are there */
    uint8_t tee_tcb_svn_2[16];
    uint8_t mr_service_td[48];
};

enum quote_tee {
    QUOTE_TEE_SGX,
    QUOTE_TEE_TDX
};

/* Views point into the parsed bytes. */
struct quote {
    uint16_t version;
    enum quote_tee tee;
    uint16_t qe_svn;  /* version 3 only, informative */
    uint16_t pce_svn; /* the same */
    uint8_t user_data[20];
    struct sgx_report sgx;    /* for QUOTE_TEE_SGX */
    struct td_report td;      /* for QUOTE_TEE_TDX */
    struct bytes signed_part; /* header and body */
    struct ecdsa_signature signature;
    struct ecdsa_public attestation_key;
    struct bytes qe_report_part; /* what the PCK key signed */
    struct sgx_report qe_report;
    struct ecdsa_signature qe_report_signature;
    struct bytes auth_data;
    struct bytes pck_chain; /* PEM: leaf, intermediate, root; empty when only named, not carried */
    struct bytes pck_name;  /* then: encrypted PPID, CPUSVN 16, PCESVN 2, PCEID 2; or empty */
    size_t padding_size;
};

/* INVALID or UNSUPPORTED, with *reason set. */
MUST_CHECK bool quote_parse(struct quote *quote, struct bytes source, enum attest_reason *reason,
                            struct error *error);

/* Lay out bodies and quotes as the parser reads them; for the simulated platform. */
void sgx_report_write(struct writer *writer, const struct sgx_report *report);
void td_report_write(struct writer *writer, const struct td_report *report);
/* The signed part of a version 4 quote over a TD report 1.0. */
void quote_write_signed_part(struct writer *writer, const struct quote *quote);
/* The signature data of versions 4 and 5, its length in front. */
void quote_write_signature_data(struct writer *writer, const struct quote *quote);

#endif
