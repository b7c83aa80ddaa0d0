/* SPDX-License-Identifier: Apache-2.0 */
/* What an API token looks like:
 *
 *     s3n_ + 64 characters of a-z and 2-7 (base32 of RFC 4648, lower case, no padding) of
 *     4 bytes   the node's tag, the same in all tokens of a node's store
 *     8 bytes   the token's id, by which it is listed and revoked
 *     24 bytes  random
 *     4 bytes   the first of SHA-256("s3n token" || the 36 bytes before)
 *
 * The prefix and the check make tokens findable in what should have none (secret scanners: match
 * s3n_[a-z2-7]{64}), and tell one that was cut or mistyped from one that is unknown.  A node keeps
 * the SHA-256 of the text, never the text: with 192 random bits nothing slower is needed. */
#ifndef ACCESS_TOKEN_H
#define ACCESS_TOKEN_H

#include "base/error.h"
#include "core/bytes.h"

enum {
    TOKEN_TAG_SIZE = 4,
    TOKEN_ID_SIZE = 8,
    TOKEN_RANDOM_SIZE = 24,
    TOKEN_CHECK_SIZE = 4,
    TOKEN_SIZE = TOKEN_TAG_SIZE + TOKEN_ID_SIZE + TOKEN_RANDOM_SIZE + TOKEN_CHECK_SIZE,
    TOKEN_PREFIX_SIZE = 4,
    TOKEN_TEXT_SIZE = TOKEN_PREFIX_SIZE + TOKEN_SIZE * 8 / 5
};
#define TOKEN_PREFIX "s3n_"

struct token_tag {
    uint8_t bytes[TOKEN_TAG_SIZE];
};
struct token_id {
    uint8_t bytes[TOKEN_ID_SIZE];
};
/* What a node knows of a token. */
struct token_name {
    struct token_tag tag;
    struct token_id id;
    struct digest32 hash; /* of the text */
};

/* Makes one; `text` is the only copy, for the caller to wipe. */
void token_make(char text[TOKEN_TEXT_SIZE + 1], struct token_name *name,
                const struct token_tag *tag);
/* UNAUTHENTICATED says what is wrong with the text, without showing any of it. */
MUST_CHECK bool token_parse(struct token_name *name, struct bytes text, struct error *error);
/* Whether it looks like one at all. */
bool token_is(struct bytes text);

#endif
