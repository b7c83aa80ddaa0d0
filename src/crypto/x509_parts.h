/* SPDX-License-Identifier: Apache-2.0 */
/* Inside crypto only: the pieces that certificates and revocation lists share. */
#ifndef CRYPTO_X509_PARTS_H
#define CRYPTO_X509_PARTS_H

#include "core/reader.h"
#include "crypto/limits.h"

/* A Name: checks its shape, finds the last common name. */
struct bytes x509_read_name(struct reader *reader, struct bytes *common_name);
/* One Extension: its OID, its value, whether it is critical. */
struct bytes x509_read_extension(struct reader *reader, struct bytes *value, bool *is_critical);
/* Keeps the OIDs of one list and fails the reader on a second of the same, or on too many. */
struct x509_seen {
    struct bytes oids[X509_EXTENSION_COUNT_MAX];
    size_t count;
};
void x509_seen_add(struct x509_seen *seen, struct bytes oid, struct reader *reader);

#endif
