/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of the issuers that applications name ([jwt] in s3n.toml): fetched by a process apart
 * (key_fetcher.h), kept for ISSUER_FRESH_S and, while they can't be had anew, for ISSUER_KEPT_S.
 *
 * A token with a key id that is not among them has them fetched again, at most once in
 * ISSUER_PAUSE_S: so a new key counts at once, and strangers can't have the node ask all day. */
#ifndef S3ND_NODE_ISSUERS_H
#define S3ND_NODE_ISSUERS_H

#include "functions/manifest.h"
#include "gateway/gateway.h"

enum {
    ISSUER_COUNT_MAX = 64,
    ISSUER_FRESH_S = 3600,
    ISSUER_KEPT_S = 86400,
    ISSUER_PAUSE_S = 10,
    ISSUER_RETRY_S_MAX = 300
};

struct node;
struct node_issuers;

MUST_CHECK bool node_issuers_new(struct node_issuers **issuers, struct node *node,
                                 struct error *error);
/* After the supervisor's client, whose answers come here. */
void node_issuers_free(struct node_issuers *issuers);
/* A manifest is about to be served: its issuer's keys are fetched before the first request. */
void node_issuers_expect(struct node_issuers *issuers, const struct manifest *manifest);
/* As struct gateway_options has it; `context`: the node. */
bool node_jwt_check(void *context, const struct gateway_call *call, struct bytes token,
                    struct gateway_jwt *jwt, struct error *error);

#endif
