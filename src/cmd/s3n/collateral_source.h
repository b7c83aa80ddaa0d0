/* SPDX-License-Identifier: Apache-2.0 */
/* Where the command line gets collateral that nobody gave it: from its cache, and from the services
 * when it is told to (--fetch, or `fetch = "always"` in collateral.toml of the configuration
 * folder; docs/collateral.md).  Never by itself: the same command says the same with and without a
 * network. */
#ifndef S3N_COLLATERAL_SOURCE_H
#define S3N_COLLATERAL_SOURCE_H

#include "base/options.h"
#include "cmd/s3n/cli.h"
#include "collateral/collateral.h"

/* What a command was told. */
struct collateral_words {
    bool fetch, offline, allow_stale;
    const char *intel_url, *root_crl_url, *amd_url, *authorities, *cache;
};

#define COLLATERAL_TEXT(type, member, option, field, form, text)                                   \
    {                                                                                              \
        .name = option, .kind = OPTION_STRING, .offset = offsetof(type, member.field),             \
        .value = form, .help = text                                                                \
    }
/* Rows for `struct collateral_words member` of the options struct `type`. */
#define COLLATERAL_ROWS(type, member)                                                              \
    { .name = "fetch",                                                                             \
      .offset = offsetof(type, member.fetch),                                                      \
      .help = "ask the makers' services for collateral that is missing (only what is given)" },    \
        { .name = "offline",                                                                       \
          .offset = offsetof(type, member.offline),                                                \
          .help = "take it from the cache of earlier --fetch alone" },                             \
        { .name = "allow-stale",                                                                   \
          .offset = offsetof(type, member.allow_stale),                                            \
          .help = "use what is in the cache even past its date, and say so" },                     \
        COLLATERAL_TEXT(type, member, "intel-url", intel_url, "URL",                               \
                        "Intel's service or a caching one "                                        \
                        "(https://api.trustedservices.intel.com)"),                                \
        COLLATERAL_TEXT(type, member, "root-crl-url", root_crl_url, "URL",                         \
                        "the root's revocation list (Intel's, or the caching service's)"),         \
        COLLATERAL_TEXT(type, member, "amd-url", amd_url, "URL",                                   \
                        "AMD's service or a caching one (https://kdsintf.amd.com)"),               \
        COLLATERAL_TEXT(type, member, "service-ca", authorities, "FILE",                           \
                        "certificates that the services' own may end at, PEM (the system's)"),     \
        COLLATERAL_TEXT(type, member, "cache", cache, "FOLDER",                                    \
                        "where collateral is kept (~/.cache/s3n/collateral)")

struct collateral_source {
    bool is_used;   /* something may be looked for */
    bool is_always; /* without being told by the command */
    struct collateral_options options;
    /* Owned: what the options point to. */
    char cache[4096];
    struct buffer authorities;
    struct buffer intel_key;
    json_t *file; /* collateral.toml */
};

void collateral_source_done(struct collateral_source *source);
#define AUTO_COLLATERAL_SOURCE __attribute__((cleanup(collateral_source_done)))

/* Reads the configuration, over which the words count.  INVALID with file and key. */
MUST_CHECK bool collateral_source_open(struct collateral_source *source,
                                       const struct collateral_words *words, struct error *error);

/* What a verdict rested on: each piece that was there or looked for, its age at the time judged at,
 * and whether it is past its date.  `gathered` may be NULL. */
void collateral_lines_append(struct buffer *text, const struct attest_collateral *used,
                             const struct collateral *gathered, int64_t now_s);
/* The array's value. */
void collateral_lines_write(struct json_writer *json, const struct attest_collateral *used,
                            const struct collateral *gathered, int64_t now_s);
/* The same of evidence in a wrapper, or bare. */
void collateral_lines_of_evidence(struct json_writer *json, struct bytes evidence,
                                  const struct collateral *gathered, int64_t now_s);
void collateral_text_of_evidence(struct buffer *text, struct bytes evidence,
                                 const struct collateral *gathered, int64_t now_s);

#endif
