/* SPDX-License-Identifier: Apache-2.0 */
/* Collateral for a piece of evidence: from a cache on the disk, and from Intel's and AMD's
 * services.
 *
 * What is fresh in the cache is used without asking.  What is due (once a day, and before it runs
 * out) is asked for again; when that fails, what is in date still does, and says so.  What is past
 * its date is stale: used only when that is allowed, and always said.  Nothing here is a verdict:
 * attest judges every signature and every date, whoever brought the bytes.
 *
 * One thread; blocks.  Owns what it gives. */
#ifndef COLLATERAL_COLLATERAL_H
#define COLLATERAL_COLLATERAL_H

#include "base/json.h"
#include "collateral/service.h"

struct collateral_options {
    struct collateral_places places;
    struct collateral_network network;
    const char *folder; /* of the cache; NULL: none */
    bool is_offline;    /* from the cache alone */
    bool is_stale_allowed;
    int64_t judged_at_s; /* past its date then is stale; 0: now */
    unsigned timeout_ms; /* of all together; 0: COLLATERAL_TIMEOUT_MS */
};

enum collateral_state {
    COLLATERAL_MISSING, /* `note` says why */
    COLLATERAL_FETCHED, /* just now */
    COLLATERAL_FRESH,   /* from the cache, not due */
    COLLATERAL_DUE,     /* from the cache, in date; asking again failed, or was not allowed */
    COLLATERAL_STALE    /* from the cache, past its date */
};
/* "missing", "fetched", "fresh", "due", "stale". */
const char *collateral_state_name(enum collateral_state state);

struct collateral_item {
    enum collateral_part part;
    enum collateral_state state;
    char url[COLLATERAL_URL_SIZE_MAX];
    struct collateral_entry entry;
    char note[sizeof(((struct error *)0)->text)]; /* why it is not fresh; empty: it is */
};

struct collateral {
    struct collateral_item items[COLLATERAL_PART_COUNT];
    size_t count;
    int64_t refused_until_s; /* a service asked to wait; 0: none did */
};

void collateral_init(struct collateral *collateral);
void collateral_done(struct collateral *collateral);
#define AUTO_COLLATERAL __attribute__((cleanup(collateral_done)))

/* Gathers what `evidence` wants beyond what it carries and `given` has.  `collateral` (initialised)
 * is filled in both cases with what there was; false when a piece is missing, with the error of the
 * first one, or when the evidence is none. */
MUST_CHECK bool collateral_gather(struct collateral *collateral, struct bytes evidence,
                                  const struct attest_collateral *given,
                                  const struct collateral_options *options, struct error *error);
/* Views of what was gathered, where `target` is empty. */
void collateral_apply(const struct collateral *collateral, struct attest_collateral *target);

/* How old the oldest list, TCB info or identity is that was gathered, and when the first of all
 * ends; false when there is none. */
bool collateral_ages(const struct collateral *collateral, int64_t *issued_s,
                     int64_t *next_update_s);
/* When the first piece is due to be asked for again; INT64_MAX without any. */
int64_t collateral_due_s(const struct collateral *collateral);

/* Evidence, bare or in a wrapper, in place: with what it lacks, and instead of what is past its
 * date there.  As collateral_gather; what was had is added in both cases.  INVALID leaves it as it
 * is. */
MUST_CHECK bool collateral_complete(struct collateral *collateral, struct buffer *evidence,
                                    const struct collateral_options *options, struct error *error);
/* Takes lists, TCB info and identities out that are past their date. */
void collateral_drop_stale(struct attest_collateral *parts, int64_t now_s);
/* Evidence, bare or in a wrapper, in place: with the parts that it lacks. */
MUST_CHECK bool collateral_add(struct buffer *evidence, const struct attest_collateral *parts,
                               struct error *error);
/* Evidence, bare or in a wrapper, with what `collateral` adds to it: a wrapper in CBOR. */
MUST_CHECK bool collateral_wrap(struct buffer *wrapped, struct bytes evidence,
                                const struct collateral *collateral, struct error *error);

#endif
