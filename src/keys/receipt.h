/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: the signed statement of one invocation, an EAT (RFC 9711) as a JWT: JWS compact
 * serialisation, ES256, header always {"alg":"ES256","typ":"s3n-receipt+jwt"}, claims in canonical
 * JSON.  docs/receipts.md explains every claim.
 *
 * Parsing is strict by construction: claims are read into the struct, written again, and must be
 * the same bytes.  Owns nothing; no clock, no keys of its own. */
#ifndef KEYS_RECEIPT_H
#define KEYS_RECEIPT_H

#include "keys/keyset.h"
#include "keys/release.h"

#define RECEIPT_PROFILE "urn:s3n:receipt:1"

enum receipt_trigger {
    RECEIPT_TRIGGER_CALL, /* "call": the function was called by name */
    RECEIPT_TRIGGER_HTTP, /* "http": a request to one of the application's routes */
};

enum receipt_status {
    RECEIPT_STATUS_DONE,    /* "done": ended with exit code 0 */
    RECEIPT_STATUS_EXIT,    /* "exit": ended with another exit code */
    RECEIPT_STATUS_TRAP,    /* "trap": with reason, and function index where known */
    RECEIPT_STATUS_TIMEOUT, /* "timeout" */
    RECEIPT_STATUS_LIMIT,   /* "limit": went over its memory or output */
    RECEIPT_STATUS_CRASHED, /* "crashed": its worker ended under it */
};

enum receipt_backend {
    RECEIPT_BACKEND_KVM,     /* "kvm": in a micro-VM, in a jailed process */
    RECEIPT_BACKEND_PROCESS, /* "process": in a jailed process */
};

/* What the invocation used of its node: services/services.h. */
struct receipt_use {
    char service[KEYS_NAME_SIZE_MAX + 1]; /* "kv" */
    char name[RECEIPT_USE_NAME_SIZE_MAX + 1];
    bool has_before, has_after;
    struct digest32 before, after; /* of a state; of one thing only `after` */
};

struct receipt {
    char node[KEYS_NODE_SIZE + 1];
    char platform[KEYS_PLATFORM_SIZE_MAX + 1];
    char id[KEYS_NAME_SIZE_MAX + 1]; /* of the invocation */
    char application[KEYS_NAME_SIZE_MAX + 1];
    char application_version[KEYS_NAME_SIZE_MAX + 1];
    char function[KEYS_NAME_SIZE_MAX + 1];
    enum receipt_backend backend; /* where the function ran */
    struct digest32 manifest;     /* of the canonical manifest */
    struct digest32 code;         /* of the WebAssembly module, or of the ELF: */
    bool is_native;
    struct digest32 image;    /* of what the compiler made of it */
    struct digest32 request;  /* of the input, byte for byte */
    struct digest32 response; /* of the output, byte for byte */
    struct digest32 keyset;
    /* Which version of the application, and whose signatures it carries (keys/release.h); absent
     * from receipts of nodes that knew no versions. */
    struct {
        bool is_known;
        uint64_t number; /* counts the application's versions on this node */
        struct digest32 version;
        struct digest32 signers[RELEASE_SIGNER_COUNT_MAX]; /* ascending */
        size_t signer_count;
    } release;
    bool has_nonce;
    struct nonce32 nonce; /* the caller's */
    int64_t issued_at_s;
    uint64_t sequence; /* counts this receipt key's receipts from 1 */
    struct {
        enum receipt_trigger kind;
        char request_id[KEYS_NAME_SIZE_MAX + 1];
        char route[KEYS_ROUTE_SIZE_MAX + 1]; /* of HTTP: the path asked for, without query */
        bool is_sealed; /* request and response travelled sealed to the keyset */
    } trigger;
    struct {
        uint64_t duration_us;
        uint64_t memory_bytes; /* linear memory at its end */
        bool has_fuel;         /* of metered functions */
        uint64_t fuel;         /* instructions executed, and what docs/receipts.md adds */
    } usage;
    unsigned use_count;
    struct receipt_use uses[RECEIPT_USE_COUNT_MAX];
    struct {
        enum receipt_status status;
        int64_t exit_code;                 /* of EXIT */
        char trap[KEYS_NAME_SIZE_MAX + 1]; /* of TRAP: the reason */
        bool has_function_index;           /* of TRAP */
        uint32_t function_index;
    } outcome;
};

const char *receipt_backend_name(enum receipt_backend backend);
/* false: there is none of this name. */
MUST_CHECK bool receipt_backend_of_name(enum receipt_backend *backend, const char *name);
const char *receipt_trigger_name(enum receipt_trigger kind);
const char *receipt_status_name(enum receipt_status status);

/* Names one immutable deployed version of a function: SHA-256 of the canonical statement
 * {"application":...,"code":...,"function":...,"manifest":...,"purpose":"s3n/function-version/1"}.
 */
struct digest32 receipt_version(const struct receipt *receipt);

/* Appends the signed text.  INVALID when a field breaks the rules (a name with other characters
 * than letters, digits and . _ - +, a number above KEYS_NUMBER_MAX, a path with other than
 * printable ASCII). */
MUST_CHECK bool receipt_issue(struct buffer *text, const struct receipt *receipt,
                              const struct ecdsa_key *key, struct error *error);
/* Reads the claims and checks their form, not the signature: only to learn what is claimed. */
MUST_CHECK bool receipt_parse(struct receipt *receipt, struct bytes text, struct error *error);
/* The form and the signature.  UNVERIFIED when the signature is wrong. */
MUST_CHECK bool receipt_verify(struct receipt *receipt, struct bytes text,
                               const struct ecdsa_public *key, struct error *error);
/* Appends the claims, canonical JSON. */
MUST_CHECK bool receipt_claims(struct buffer *text, const struct receipt *receipt,
                               struct error *error);

#endif
