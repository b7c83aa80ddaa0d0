/* SPDX-License-Identifier: Apache-2.0 */
/* What one owner may have and use on this node; the operator's configuration ([quotas]).
 *
 * Applications, versions and bytes are counted from what is there (deleted ones count until they
 * are swept); invocations in windows of an hour of the node's clock.  The counts are kept in the
 * store now and then, so that a restart, or a crash, gives back the last seconds of them at most.
 * One thread. */
#ifndef FUNCTIONS_QUOTA_H
#define FUNCTIONS_QUOTA_H

#include "store/store.h"

/* 0: no limit. */
struct quota_limits {
    uint32_t applications;
    uint32_t versions; /* of all applications together */
    uint32_t mib;      /* modules and files of all versions, each counted in full, and uploads */
    uint32_t invocations_per_hour;
};

struct quotas;

MUST_CHECK bool quotas_new(struct quotas **quotas, const struct quota_limits *limits,
                           struct error *error);
void quotas_free(struct quotas *quotas);
DEFINE_AUTO(quotas, quotas_free)
const struct quota_limits *quotas_limits(const struct quotas *quotas);

/* What an owner has. */
struct quota_use {
    uint64_t applications, versions, bytes;
};
/* LIMIT names the first limit that `more` on top of `used` would break.  NULL quotas allow all. */
MUST_CHECK bool quotas_check(const struct quotas *quotas, const struct quota_use *used,
                             const struct quota_use *more, struct error *error);
/* Counts one invocation.  LIMIT when the owner has had those of this hour. */
MUST_CHECK bool quotas_invoke(struct quotas *quotas, const struct digest32 *owner, int64_t now_s,
                              struct error *error);
/* Of this hour. */
uint64_t quotas_invocations(const struct quotas *quotas, const struct digest32 *owner,
                            int64_t now_s);

/* Counts as they are, into the node's record, unless they are there; and back, at the start. */
MUST_CHECK bool quotas_keep(struct quotas *quotas, struct store *store, struct error *error);
MUST_CHECK bool quotas_load(struct quotas *quotas, struct store *store, struct error *error);

#endif
