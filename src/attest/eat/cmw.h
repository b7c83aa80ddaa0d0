/* SPDX-License-Identifier: Apache-2.0 */
/* Evidence with its endorsements as RATS conceptual messages wrapped (draft-ietf-rats-msg-wrap-23,
 * with the RFC editor): records, in JSON or CBOR; a record's short form as a CBOR tag; and
 * collections of them under labels.  No tunnels and no collections inside each other.
 *
 * A wrapper protects nothing: what is inside is judged like what comes in files. */
#ifndef ATTEST_EAT_CMW_H
#define ATTEST_EAT_CMW_H

#include "attest/attest.h"

/* Bits of a record's indicator. */
enum cmw_message {
    CMW_REFERENCE_VALUES = 1 << 0,
    CMW_ENDORSEMENTS = 1 << 1,
    CMW_EVIDENCE = 1 << 2,
    CMW_ATTESTATION_RESULTS = 1 << 3
};

struct cmw_item {
    struct bytes label; /* in a collection; an integer label is left empty */
    struct bytes type;  /* media type; empty: the content format counts */
    uint16_t format;    /* CoAP content format */
    struct bytes value;
    unsigned messages; /* 0: the type tells */
};

struct cmw {
    bool is_collection;
    struct cmw_item items[CMW_ITEM_COUNT_MAX];
    size_t count;
};

/* Whether the bytes begin like a wrapper, rather than like evidence itself. */
bool cmw_is_wrapper(struct bytes source);
/* Views into `source`, or for values in JSON into `space`, which holds at least 3 / 4 of the
 * source.  INVALID; UNSUPPORTED for tunnels and nested collections. */
MUST_CHECK bool cmw_read(struct cmw *cmw, struct bytes source, void *space, size_t capacity,
                         struct error *error);
/* One value. */
void cmw_write_json(struct json_writer *json, const struct cmw *cmw);
void cmw_write_cbor(struct writer *writer, const struct cmw *cmw);

/* A collection: label "evidence", and one label for each piece of collateral that is there, named
 * like the options of `s3n verify evidence`.  All borrowed. */
void cmw_of_evidence(struct cmw *cmw, enum attest_tee tee, struct bytes evidence,
                     const struct attest_collateral *collateral);
/* The evidence of a record, or of a collection as above; of the collateral only what is empty
 * there is filled.  INVALID without evidence. */
MUST_CHECK bool cmw_to_evidence(const struct cmw *cmw, struct bytes *evidence,
                                struct attest_collateral *collateral, struct error *error);

#endif
