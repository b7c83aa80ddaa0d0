/* SPDX-License-Identifier: Apache-2.0 */
/* Why evidence is refused: one code per check.  The table is in the order of the checks of each
 * kind of evidence; the first check that fails gives the code. */
#ifndef ATTEST_REASON_H
#define ATTEST_REASON_H

/* What a refusal is about: the evidence itself, the certificates it rests on, or the collateral. */
enum attest_subject {
    ATTEST_SUBJECT_EVIDENCE,
    ATTEST_SUBJECT_CHAIN,
    ATTEST_SUBJECT_COLLATERAL
};

/* code, which is its name for scripts too; what it is about */
#define ATTEST_REASONS(X)                                                                          \
    X(NONE, EVIDENCE)                                                                              \
    /* any kind */                                                                                 \
    X(FORMAT, EVIDENCE)                                                                            \
    X(UNSUPPORTED_VERSION, EVIDENCE)                                                               \
    X(UNSUPPORTED_TEE, EVIDENCE)                                                                   \
    X(SIMULATED, CHAIN)                                                                            \
    X(ROOT_UNTRUSTED, CHAIN)                                                                       \
    X(REPORT_DATA_MISMATCH, EVIDENCE)                                                              \
    /* Intel */                                                                                    \
    X(UNSUPPORTED_KEY_TYPE, EVIDENCE)                                                              \
    X(UNKNOWN_QE_VENDOR, EVIDENCE)                                                                 \
    X(UNSUPPORTED_CERT_DATA, EVIDENCE)                                                             \
    X(NO_PCK_CERT, EVIDENCE)                                                                       \
    X(PCK_CHAIN_INVALID, CHAIN)                                                                    \
    X(PCK_CHAIN_EXPIRED, CHAIN)                                                                    \
    X(PCK_CHAIN_NOT_YET_VALID, CHAIN)                                                              \
    X(PCK_CA_CRL_FORMAT, COLLATERAL)                                                               \
    X(PCK_CA_CRL_WRONG_ISSUER, COLLATERAL)                                                         \
    X(PCK_CA_CRL_SIG_INVALID, COLLATERAL)                                                          \
    X(PCK_CA_CRL_EXPIRED, COLLATERAL)                                                              \
    X(PCK_CA_CRL_NOT_YET_VALID, COLLATERAL)                                                        \
    X(PCK_CA_REVOKED, COLLATERAL)                                                                  \
    X(PCK_CRL_FORMAT, COLLATERAL)                                                                  \
    X(PCK_CRL_WRONG_ISSUER, COLLATERAL)                                                            \
    X(PCK_CRL_SIG_INVALID, COLLATERAL)                                                             \
    X(PCK_CRL_EXPIRED, COLLATERAL)                                                                 \
    X(PCK_CRL_NOT_YET_VALID, COLLATERAL)                                                           \
    X(PCK_REVOKED, COLLATERAL)                                                                     \
    X(TCB_SIGNING_REVOKED, COLLATERAL)                                                             \
    X(PCK_EXTENSION_MISSING, CHAIN)                                                                \
    X(TCB_CHAIN_INVALID, COLLATERAL)                                                               \
    X(TCB_CHAIN_EXPIRED, COLLATERAL)                                                               \
    X(TCB_CHAIN_NOT_YET_VALID, COLLATERAL)                                                         \
    X(TCB_INFO_FORMAT, COLLATERAL)                                                                 \
    X(TCB_INFO_SIG_INVALID, COLLATERAL)                                                            \
    X(TCB_INFO_EXPIRED, COLLATERAL)                                                                \
    X(TCB_INFO_NOT_YET_VALID, COLLATERAL)                                                          \
    X(QE_IDENTITY_FORMAT, COLLATERAL)                                                              \
    X(QE_IDENTITY_SIG_INVALID, COLLATERAL)                                                         \
    X(QE_IDENTITY_EXPIRED, COLLATERAL)                                                             \
    X(QE_IDENTITY_NOT_YET_VALID, COLLATERAL)                                                       \
    X(TCB_INFO_TEE_MISMATCH, COLLATERAL)                                                           \
    X(FMSPC_MISMATCH, COLLATERAL)                                                                  \
    X(QE_REPORT_SIG_INVALID, EVIDENCE)                                                             \
    X(ATT_KEY_BINDING_INVALID, EVIDENCE)                                                           \
    X(QE_IDENTITY_MISMATCH, COLLATERAL)                                                            \
    X(QE_TCB_NOT_SUPPORTED, COLLATERAL)                                                            \
    X(QUOTE_SIG_INVALID, EVIDENCE)                                                                 \
    X(TDX_MODULE_MISMATCH, COLLATERAL)                                                             \
    X(TCB_NOT_SUPPORTED, COLLATERAL)                                                               \
    X(TCB_REVOKED, COLLATERAL)                                                                     \
    /* AMD, and what Nitro shares with it */                                                       \
    X(UNSUPPORTED_SIG_ALGO, EVIDENCE)                                                              \
    X(PRODUCT_MISMATCH, CHAIN)                                                                     \
    X(NOT_SIGNED, EVIDENCE)                                                                        \
    X(NO_VEK_CERT, EVIDENCE)                                                                       \
    X(VEK_CHAIN_INVALID, CHAIN)                                                                    \
    X(CERT_EXPIRED, CHAIN)                                                                         \
    X(CERT_NOT_YET_VALID, CHAIN)                                                                   \
    X(CRL_SIG_INVALID, COLLATERAL)                                                                 \
    X(CRL_EXPIRED, COLLATERAL)                                                                     \
    X(CRL_NOT_YET_VALID, COLLATERAL)                                                               \
    X(CERT_REVOKED, COLLATERAL)                                                                    \
    X(TCB_MISMATCH, EVIDENCE)                                                                      \
    X(CHIP_ID_MISMATCH, EVIDENCE)                                                                  \
    X(SIGNATURE_INVALID, EVIDENCE)                                                                 \
    X(RUNTIME_DATA_MISMATCH, EVIDENCE)                                                             \
    /* Nitro */                                                                                    \
    X(TRAILING_DATA, EVIDENCE)                                                                     \
    X(UNSUPPORTED_ALG, EVIDENCE)                                                                   \
    X(CHAIN_INVALID, CHAIN)                                                                        \
    /* evidence inside a certificate */                                                            \
    X(CERT_BINDING_INVALID, EVIDENCE)

enum attest_reason {
#define ATTEST_REASON_ENUM(code, subject) ATTEST_REASON_##code,
    ATTEST_REASONS(ATTEST_REASON_ENUM)
#undef ATTEST_REASON_ENUM
};

const char *attest_reason_name(enum attest_reason reason);
enum attest_subject attest_reason_subject(enum attest_reason reason);

#endif
