/* SPDX-License-Identifier: Apache-2.0 */
/* The secrets of applications: versions, sealed by the keeper (keys/secret_envelope.h); this module
 * never sees a value.
 *
 * A secret belongs to an application's name and owner.  Its versions count from 1 and are never
 * given twice, also after it was removed.  The last one is the present one; those before stay
 * readable until they end, and are then destroyed.  Every change and every first release to a
 * version of a function is an entry of the audit log in the same batch; further releases are
 * counted and written with secrets_sweep.
 *
 * What there is is read at the start and stays in memory, values from when they are first asked
 * for, sealed.  Owns the records `secrets/` and `secret-values/` of the node's space.  One thread.
 */
#ifndef FUNCTIONS_SECRETS_H
#define FUNCTIONS_SECRETS_H

#include "functions/audit.h"
#include "keys/secret_envelope.h"

struct secrets;

/* `audit` may be NULL: nothing is logged. */
MUST_CHECK bool secrets_open(struct secrets **secrets, struct store *store, struct audit *audit,
                             struct error *error);
void secrets_free(struct secrets *secrets);
DEFINE_AUTO(secrets, secrets_free)

/* Whose. */
struct secret_owner {
    const char *application;
    struct digest32 owner;
};

/* A value that the keeper sealed at `place`. */
struct secret_put {
    struct secret_place place; /* `version` is the next one, else CONFLICT */
    struct bytes sealed;
    size_t size; /* of the value */
    /* How long the present version stays readable beside it; 0: it is destroyed now. */
    int64_t overlap_s;
    bool is_rotation; /* NOT_FOUND when there is no present version */
};
MUST_CHECK bool secrets_put(struct secrets *secrets, const struct secret_put *put,
                            const struct change *change, struct error *error);
/* Destroys all versions.  NOT_FOUND. */
MUST_CHECK bool secrets_remove(struct secrets *secrets, const struct secret_owner *whose,
                               const char *name, const struct change *change, struct error *error);

/* The application goes for good: destroys all that it has; numbers go on counting. */
MUST_CHECK bool secrets_forget(struct secrets *secrets, const struct secret_owner *whose,
                               int64_t now_s, struct error *error);

/* `version` 0: the present one.  NOT_FOUND: there is none, it has ended or was removed.  `sealed`
 * is borrowed until the next change. */
MUST_CHECK bool secrets_find(struct secrets *secrets, const struct secret_owner *whose,
                             struct bytes name, uint64_t version, int64_t now_s,
                             struct secret_found *found, struct error *error);

/* Who gets a value. */
struct secret_receiver {
    const char *function;
    const char *version;
    struct digest32 manifest;
};
/* Before it is handed out: counted, and in the audit log when it is the first time.  NOT_FOUND when
 * the version has gone since it was found. */
MUST_CHECK bool secrets_release(struct secrets *secrets, const struct secret_place *place,
                                const struct secret_receiver *receiver, int64_t now_s,
                                struct error *error);

/* {"owner","secrets":[{"name","next","versions":[...]}]}, removed ones with no versions; by name.
 * `name` not NULL: that one alone, with "history" and "releases"; NOT_FOUND. */
MUST_CHECK bool secrets_list(struct secrets *secrets, const struct secret_owner *whose,
                             const char *name, int64_t now_s, json_t **list, struct error *error);

/* Destroys what has ended and writes what was counted, of the applications in memory. */
MUST_CHECK bool secrets_sweep(struct secrets *secrets, int64_t now_s, struct error *error);

#endif
