/* SPDX-License-Identifier: Apache-2.0 */
/* Every limit of gateway in one place. */
#ifndef GATEWAY_LIMITS_H
#define GATEWAY_LIMITS_H

enum {
    GATEWAY_REQUEST_COUNT_MAX = 4096, /* in progress; more are answered 503 */
    GATEWAY_PARAMETER_COUNT_MAX = 8,  /* ":name" parts of one pattern */
    GATEWAY_PARAMETER_SIZE_MAX = 256, /* one decoded */
    GATEWAY_PARAMETER_MEMORY_MAX = 1024,
    GATEWAY_PATTERN_SIZE_MAX = 256,
    GATEWAY_NAME_SIZE_MAX = 63,    /* application and function names */
    GATEWAY_ROUTE_COUNT_MAX = 256, /* of one application */
    GATEWAY_APPLICATION_COUNT_MAX = 4096,
    GATEWAY_JSON_BODY_SIZE_MAX = 256 << 10, /* manifests and claims */
    GATEWAY_KV_IMPORT_SIZE_MAX = 1 << 20,   /* entries of an application's state */
    GATEWAY_SECRET_SIZE_MAX = 96 << 10,     /* a sealed one, as base64 */
    GATEWAY_BLOB_SIZE_MAX = 64 << 20,
    GATEWAY_INPUT_SIZE_MAX = 8 << 20,        /* of an invocation */
    GATEWAY_SEALED_HEAD_SIZE_MAX = 64 << 10, /* what a sealed message has besides the body */
    GATEWAY_SEALED_SIZE_MAX = GATEWAY_INPUT_SIZE_MAX + GATEWAY_SEALED_HEAD_SIZE_MAX,
    GATEWAY_SEALED_SEEN_MAX = 1 << 18,  /* sealed requests remembered; more are answered 429 */
    GATEWAY_SEALED_AGE_S_MAX = 240,     /* how far the date inside may be from now */
    GATEWAY_CLAIMS_SIZE_MAX = 16 << 10, /* of a web token, as JSON */
    GATEWAY_KEYS_WAITING_MAX = 256,     /* requests that wait for keys of issuers, */
    GATEWAY_KEYS_WAITING_OF_APPLICATION_MAX = 64, /* of one application, */
    GATEWAY_KEYS_WAIT_MS = 10000,                 /* and so long */
    GATEWAY_ENVIRONMENT_SIZE_MAX = 32 << 10,
    GATEWAY_ANSWER_JSON_SIZE_MAX = 4 << 20,
    GATEWAY_OUTPUT_FIELDS_MAX = 24,
    GATEWAY_RULES_SIZE_MAX = 1 << 20,   /* what one version's middleware takes */
    GATEWAY_RULES_SIZE_LEAST = 1024,    /* the same, at least */
    GATEWAY_BUCKET_COUNT_MAX = 1 << 16, /* token buckets that are not full, of all applications */
    GATEWAY_BUCKET_NAME_SIZE_MAX = 128,
    GATEWAY_KEY_SIZE_MAX = 255, /* an Idempotency-Key */
    GATEWAY_ORIGIN_SIZE_MAX = 255,
    GATEWAY_PREFLIGHT_AGE_S = 600, /* of answers about the node's own resources */
    GATEWAY_RANGE_COUNT_MAX = 16,  /* parts of one answer; for more the whole is given */
    GATEWAY_RANGE_OVERHEAD = 256,  /* what stands around each part, at most */
    GATEWAY_CALLER_FIELDS_MAX = 8, /* fields that the gateway itself adds to an answer */
    CGI_HEAD_SIZE_MAX = 8 << 10    /* fields that a function's output may begin with */
};

#endif
