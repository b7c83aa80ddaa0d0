/* SPDX-License-Identifier: Apache-2.0 */
/* Why evidence is refused: one code per check, in the order of the checks. */
#ifndef ATTEST_REASON_H
#define ATTEST_REASON_H

/* code, name for scripts */
#define ATTEST_REASONS(X)                                                                          \
    X(NONE, "NONE")                                                                                \
    X(FORMAT, "FORMAT")                                                                            \
    X(UNSUPPORTED_VERSION, "UNSUPPORTED_VERSION")                                                  \
    X(UNSUPPORTED_KEY_TYPE, "UNSUPPORTED_KEY_TYPE")                                                \
    X(UNSUPPORTED_TEE, "UNSUPPORTED_TEE")                                                          \
    X(UNKNOWN_QE_VENDOR, "UNKNOWN_QE_VENDOR")                                                      \
    X(UNSUPPORTED_CERT_DATA, "UNSUPPORTED_CERT_DATA")                                              \
    X(NO_PCK_CERT, "NO_PCK_CERT")                                                                  \
    X(PCK_CHAIN_INVALID, "PCK_CHAIN_INVALID")                                                      \
    X(ROOT_UNTRUSTED, "ROOT_UNTRUSTED")                                                            \
    X(SIMULATED, "SIMULATED")                                                                      \
    X(PCK_CHAIN_EXPIRED, "PCK_CHAIN_EXPIRED")                                                      \
    X(PCK_CHAIN_NOT_YET_VALID, "PCK_CHAIN_NOT_YET_VALID")                                          \
    X(PCK_EXTENSION_MISSING, "PCK_EXTENSION_MISSING")                                              \
    X(QE_REPORT_SIG_INVALID, "QE_REPORT_SIG_INVALID")                                              \
    X(ATT_KEY_BINDING_INVALID, "ATT_KEY_BINDING_INVALID")                                          \
    X(QUOTE_SIG_INVALID, "QUOTE_SIG_INVALID")                                                      \
    X(REPORT_DATA_MISMATCH, "REPORT_DATA_MISMATCH")                                                \
    X(DEBUG, "DEBUG")

enum attest_reason {
#define ATTEST_REASON_ENUM(code, name) ATTEST_REASON_##code,
    ATTEST_REASONS(ATTEST_REASON_ENUM)
#undef ATTEST_REASON_ENUM
};

const char *attest_reason_name(enum attest_reason reason);

#endif
