/* SPDX-License-Identifier: Apache-2.0 */
/* Structured field values (RFC 8941), as far as signatures and digests need them: dictionaries of
 * items and inner lists.  Bounded by limits.h; pure; never allocates; views point into the text.
 *
 * Stricter than the RFC: a parameter given twice is refused, decimals are not read. */
#ifndef NET_STRUCTURED_H
#define NET_STRUCTURED_H

#include "core/bytes.h"
#include "net/limits.h"

enum structured_kind {
    STRUCTURED_INTEGER,
    STRUCTURED_STRING,
    STRUCTURED_TOKEN,
    STRUCTURED_BYTES,
    STRUCTURED_BOOLEAN
};

struct structured_item {
    enum structured_kind kind;
    struct bytes text; /* string without quotes, token, or the base64 between the colons */
    bool has_escapes;  /* of a string: the text holds backslashes */
    int64_t number;    /* integer; boolean: 0 or 1 */
    bool has_parameters;
};

struct structured_parameter {
    struct bytes name;
    struct structured_item value;
};

struct structured_member {
    struct bytes name;
    struct bytes raw; /* the value with its parameters, as it stands in the text */
    bool is_list;
    struct structured_item items[SIGNATURE_COMPONENT_COUNT_MAX]; /* one unless a list */
    size_t item_count;
    struct structured_parameter parameters[SIGNATURE_PARAMETER_COUNT_MAX];
    size_t parameter_count;
};

enum structured_step {
    STRUCTURED_MEMBER,
    STRUCTURED_END,
    STRUCTURED_BAD
};

struct structured {
    struct bytes text;
    size_t at;
    bool started;
    size_t member_count;
};
struct structured structured_of(struct bytes text);
/* The next member of the dictionary. */
enum structured_step structured_next(struct structured *structured,
                                     struct structured_member *member);
/* The only member of that name in a whole, well-formed dictionary. */
enum structured_step structured_find(struct structured_member *member, struct bytes text,
                                     const char *name);

#endif
