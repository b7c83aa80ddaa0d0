/* SPDX-License-Identifier: Apache-2.0 */
/* The certificate table that a host hands out with a report (GHCB specification, extended guest
 * request; `auxblob` of configfs-tsm): entries of a GUID, an offset and a length, ended by zeros.
 * It comes from the host: a cache of what is verified anyway, never a source of trust. */
#ifndef ATTEST_AMD_CERTIFICATE_TABLE_H
#define ATTEST_AMD_CERTIFICATE_TABLE_H

#include "base/error.h"

/* Views into the table, each DER or PEM; empty: not there. */
struct certificate_table {
    struct bytes ark;
    struct bytes ask; /* hosts put the VLEK's intermediate here too */
    struct bytes vcek;
    struct bytes vlek;
    struct bytes crl;
};

/* Entries of other kinds are passed over.  INVALID for a table without end, entries outside of it
 * or inside of its head, or two of a kind. */
MUST_CHECK bool certificate_table_read(struct certificate_table *table, struct bytes source,
                                       struct error *error);

#endif
