/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: the object identifiers of RFC 5280 and RFC 5758 that certificates here use,
 * as content bytes. */
#ifndef CRYPTO_OID_H
#define CRYPTO_OID_H

#include "core/bytes.h"

static const struct bytes oid_ecdsa_with_sha256 = {
    (const uint8_t *)"\x2a\x86\x48\xce\x3d\x04\x03\x02", 8
};
static const struct bytes oid_ecdsa_with_sha384 = {
    (const uint8_t *)"\x2a\x86\x48\xce\x3d\x04\x03\x03", 8
};
static const struct bytes oid_rsa_encryption = {
    (const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01", 9
};
static const struct bytes oid_rsassa_pss = {
    (const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", 9
};
static const struct bytes oid_mgf1 = { (const uint8_t *)"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x08", 9 };
static const struct bytes oid_sha384 = { (const uint8_t *)"\x60\x86\x48\x01\x65\x03\x04\x02\x02",
                                         9 };
static const struct bytes oid_common_name = { (const uint8_t *)"\x55\x04\x03", 3 };
static const struct bytes oid_organization = { (const uint8_t *)"\x55\x04\x0a", 3 };
static const struct bytes oid_subject_key_id = { (const uint8_t *)"\x55\x1d\x0e", 3 };
static const struct bytes oid_key_usage = { (const uint8_t *)"\x55\x1d\x0f", 3 };
static const struct bytes oid_subject_alt_name = { (const uint8_t *)"\x55\x1d\x11", 3 };
static const struct bytes oid_crl_number = { (const uint8_t *)"\x55\x1d\x14", 3 };
static const struct bytes oid_issuing_distribution_point = { (const uint8_t *)"\x55\x1d\x1c", 3 };
static const struct bytes oid_delta_crl_indicator = { (const uint8_t *)"\x55\x1d\x1b", 3 };
static const struct bytes oid_certificate_issuer = { (const uint8_t *)"\x55\x1d\x1d", 3 };
static const struct bytes oid_reason_code = { (const uint8_t *)"\x55\x1d\x15", 3 };
static const struct bytes oid_invalidity_date = { (const uint8_t *)"\x55\x1d\x18", 3 };
static const struct bytes oid_basic_constraints = { (const uint8_t *)"\x55\x1d\x13", 3 };
static const struct bytes oid_authority_key_id = { (const uint8_t *)"\x55\x1d\x23", 3 };
static const struct bytes oid_extended_key_usage = { (const uint8_t *)"\x55\x1d\x25", 3 };
static const struct bytes oid_server_auth = { (const uint8_t *)"\x2b\x06\x01\x05\x05\x07\x03\x01",
                                              8 };

#endif
