/* SPDX-License-Identifier: Apache-2.0 */
/* What a person said about whom to trust: a policy file, a root of their own, a development root.
 * The same for every verb that verifies, and what `s3n login` keeps for later. */
#ifndef S3N_TRUST_H
#define S3N_TRUST_H

#include "attest/policy/policy.h"
#include "base/buffer.h"
#include "keys/verify.h"

enum {
    TRUST_ROOT_SIZE_MAX = 16 << 10,
    TRUST_POLICY_ID_SIZE = sizeof("sha-256:") + 64
};

struct trust {
    bool trust_simulated;
    bool is_policy_left_out;   /* --policy none */
    struct buffer policy_text; /* empty: the default policy */
    struct policy *policy;     /* parsed; NULL: the default */
    char policy_id[TRUST_POLICY_ID_SIZE];
    struct buffer root; /* one certificate, DER; empty: the vendors', built in */
};

void trust_init(struct trust *trust);
void trust_done(struct trust *trust);
#define AUTO_TRUST __attribute__((cleanup(trust_done)))

/* `path`: a file, or "none" where that is allowed; NULL changes nothing.  USAGE, INVALID with file
 * and line. */
MUST_CHECK bool trust_read_policy(struct trust *trust, const char *path, bool is_none_allowed,
                                  struct error *error);
/* The same from text that was kept; empty: the default. */
MUST_CHECK bool trust_use_policy(struct trust *trust, const char *name, struct bytes text,
                                 struct error *error);
/* A file, or what was kept of one; nothing: the vendors'.  USAGE when it is no certificate. */
MUST_CHECK bool trust_read_root(struct trust *trust, const char *path, struct error *error);
MUST_CHECK bool trust_use_root(struct trust *trust, const char *name, struct bytes root,
                               struct error *error);
/* Into the options, which borrow. */
void trust_apply(const struct trust *trust, struct verify_options *options);

/* One line for each rule: met or not, what was found, what was wanted. */
void policy_lines_append(struct buffer *text, const struct policy_report *report,
                         const char *indent);

#endif
