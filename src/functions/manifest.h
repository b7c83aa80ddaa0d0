/* SPDX-License-Identifier: Apache-2.0 */
/* The manifest: what an application is, as its owner wrote it and as the node keeps it.
 *
 * Two forms (DESIGN section 7).  The *source* form is s3n.toml: functions name a module file and
 * maybe a build command.  The *resolved* form is canonical JSON (RFC 8785): functions name the
 * SHA-256 of their module instead, and every default is written out, so equal manifests have equal
 * bytes; the manifest digest is over these bytes.  Unknown keys are errors in both.  Owns its
 * strings; never opens a file. */
#ifndef FUNCTIONS_MANIFEST_H
#define FUNCTIONS_MANIFEST_H

#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"
#include "crypto/ecdsa.h"
#include "functions/limits.h"
#include "functions/manifest_middleware.h"
#include "services/permissions.h"

enum {
    MANIFEST_VERSION = 1
};

/* How a program is entered and what its output means; names as in the manifest. */
#define FUNCTION_ABIS(X)                                                                           \
    X(COMMAND, "command") /* stdout is the answer */                                               \
    X(CGI, "cgi")         /* stdout begins with CGI fields */                                      \
    X(REACTOR, "reactor") /* docs/abi.md */

enum function_abi {
#define FUNCTION_ABI_ENUM(abi, name) FUNCTION_ABI_##abi,
    FUNCTION_ABIS(FUNCTION_ABI_ENUM)
#undef FUNCTION_ABI_ENUM
    FUNCTION_ABI_COUNT
};

enum function_kind {
    FUNCTION_WASM,
    FUNCTION_NATIVE
};

/* What an answer's size is filled up to. */
enum padding {
    PADDING_NONE,
    PADDING_POWER_OF_TWO,
    PADDING_MULTIPLE /* of pad_output_size bytes */
};

/* name as in the manifest, default, largest */
#define FUNCTION_LIMITS(X)                                                                         \
    X(memory_mib, MEMORY_MIB_DEFAULT, MEMORY_MIB_MAX)                                              \
    X(timeout_ms, TIMEOUT_MS_DEFAULT, TIMEOUT_MS_MAX)                                              \
    X(concurrency, CONCURRENCY_DEFAULT, CONCURRENCY_MAX)                                           \
    X(output_kib, OUTPUT_KIB_DEFAULT, OUTPUT_KIB_MAX)                                              \
    X(log_kib, LOG_KIB_DEFAULT, LOG_KIB_MAX)                                                       \
    X(stack_kib, STACK_KIB_MAX, STACK_KIB_MAX)                                                     \
    X(scratch_kib, SCRATCH_KIB_DEFAULT, SCRATCH_KIB_MAX)                                           \
    X(host_calls, HOST_CALLS_DEFAULT, HOST_CALLS_MAX)

struct function_limits {
#define FUNCTION_LIMIT_FIELD(name, standard, max) uint32_t name;
    FUNCTION_LIMITS(FUNCTION_LIMIT_FIELD)
#undef FUNCTION_LIMIT_FIELD
    uint64_t fuel; /* 0: no limit */
};

struct manifest_variable {
    const char *name;
    const char *value;
};

struct manifest_function {
    char name[NAME_SIZE_MAX + 1];
    const char *source;        /* source form: path relative to the manifest; else NULL */
    const char *build_command; /* source form, or NULL */
    unsigned line;             /* source form: where the function begins */
    bool has_code;
    struct digest32 code; /* resolved form: SHA-256 of the module */
    enum function_kind kind;
    enum function_abi abi;
    bool has_abi; /* it was given, not the default */
    bool is_deterministic;
    bool is_metered;  /* counts fuel */
    bool is_isolated; /* reset by the VMM after each invocation */
    bool is_reused;   /* an instance keeps its state */
    bool is_retried;  /* from the start, when what it used was changed meanwhile */
    unsigned retries; /* so many times at most */
    struct permissions permissions;
    enum padding pad_output;
    uint32_t pad_output_size;
    uint64_t pad_time_ns; /* answers leave at multiples of it; 0: at once */
    uint64_t clock_resolution_ns;
    const char **files; /* source form: patterns */
    size_t files_count;
    bool has_archive;
    struct digest32 archive; /* resolved form: SHA-256 of the archive of files */
    struct function_limits limits;
    struct manifest_variable *environment; /* ascending names */
    size_t environment_count;
};

/* HTTP methods that a route may name, in canonical order. */
#define MANIFEST_METHODS(X)                                                                        \
    X(GET)                                                                                         \
    X(HEAD) X(POST) X(PUT) X(PATCH) X(DELETE) X(OPTIONS)

enum manifest_method {
#define MANIFEST_METHOD_ENUM(method) METHOD_##method,
    MANIFEST_METHODS(MANIFEST_METHOD_ENUM)
#undef MANIFEST_METHOD_ENUM
    METHOD_COUNT
};

/* Who may call a route. */
enum route_auth {
    ROUTE_AUTH_PUBLIC,
    ROUTE_AUTH_TOKEN, /* an API token of the account with the scope `invoke` */
    ROUTE_AUTH_OWNER, /* a key of the account with it */
    ROUTE_AUTH_JWT,   /* a token of the issuer in [jwt] */
    ROUTE_AUTH_COUNT
};

struct manifest_route {
    const char *route;       /* "/quote/:pair", "/files/<star>": see functions/route.h */
    const char *function;    /* name of a function of this manifest */
    uint32_t function_index; /* the same, as an index */
    uint32_t methods;        /* bit 1 << enum manifest_method */
    bool is_sealed_only;     /* sealed = "required": plain requests are refused */
    const char *folder;      /* static: of the function's files, which answer; NULL: it runs */
    enum route_auth auth;
};

/* Who must release a version: [release] signers, threshold.  None: anyone who may deploy. */
struct manifest_release {
    struct ecdsa_public *signers; /* ascending by key id, each once */
    size_t signer_count;          /* at most RELEASE_SIGNER_COUNT_MAX */
    unsigned threshold;           /* of them; at least 1 */
};

/* Whose tokens open routes with auth = "jwt" ([jwt]). */
struct manifest_jwt {
    const char *issuer;   /* NULL: there is no table [jwt] */
    const char *jwks_url; /* NULL: what the issuer's openid-configuration says */
    const char **audiences;
    size_t audience_count;
    uint32_t algorithms; /* bit 1 << enum jwt_algorithm */
    uint32_t leeway_s;
};

/* How much the application's sealed state may be: [state] mib, entries.  0: as much as any. */
struct manifest_state {
    unsigned mib;
    unsigned entries;
};

struct manifest {
    struct arena *arena;
    char application[NAME_SIZE_MAX + 1];
    char version[VERSION_SIZE_MAX + 1];
    char compatibility_date[11];         /* YYYY-MM-DD */
    struct manifest_function *functions; /* ascending names */
    size_t function_count;
    struct manifest_route *routes; /* in the file's order */
    size_t route_count;
    struct manifest_release release;
    struct manifest_middleware middleware;
    struct manifest_jwt jwt;
    struct manifest_state state;
};

/* The source form.  Errors (INVALID, UNSUPPORTED, LIMIT) begin with "FILE:LINE: ". */
MUST_CHECK bool manifest_parse_toml(struct manifest **manifest, const char *file_name,
                                    struct bytes text, struct error *error);
/* The resolved form, strictly: `canonical` must be byte for byte what manifest_canonical writes. */
MUST_CHECK bool manifest_parse(struct manifest **manifest, struct bytes canonical,
                               struct error *error);
void manifest_free(struct manifest *manifest);
DEFINE_AUTO(manifest, manifest_free)

/* Writes the resolved form; every function must have its code digest (INVALID otherwise). */
MUST_CHECK bool manifest_canonical(struct buffer *text, const struct manifest *manifest,
                                   struct error *error);
/* The digest that names the version (keys/release.h); of the resolved form. */
MUST_CHECK bool manifest_version_digest(struct digest32 *version, const struct manifest *manifest,
                                        const struct digest32 *manifest_digest,
                                        struct error *error);
/* NULL when there is none. */
const struct manifest_function *manifest_function_find(const struct manifest *manifest,
                                                       const char *name);
/* 1 to 63 of [a-z0-9-], neither first nor last a hyphen. */
bool name_is_valid(const char *name);
const char *manifest_method_name(enum manifest_method method);
/* METHOD_COUNT when it is none of them. */
enum manifest_method manifest_method_of(struct bytes name);
const char *function_abi_name(enum function_abi abi);

#endif
