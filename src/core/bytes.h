/* SPDX-License-Identifier: Apache-2.0 */
/* Borrowed bytes, and the small memory functions that hosted and freestanding code share.
 *
 * Owns: nothing; a `struct bytes` lives as long as what it points into.  Never allocates. */
#ifndef CORE_BYTES_H
#define CORE_BYTES_H

#include "core/compiler.h"

struct bytes {
    const uint8_t *data;
    size_t size;
};

/* A SHA-256 value; its own type so that it can't be mixed up with other 32-byte things. */
struct digest32 {
    uint8_t bytes[32];
};

#define BYTES_OF(array) ((struct bytes){ (const uint8_t *)(array), sizeof(array) })
/* A string literal without its final NUL. */
#define BYTES_LITERAL(text) ((struct bytes){ (const uint8_t *)("" text), sizeof(text) - 1 })

static inline struct bytes bytes_of(const void *data, size_t size)
{
    return (struct bytes){ (const uint8_t *)data, size };
}

/* The bytes of a NUL-terminated string, without the NUL. */
struct bytes bytes_of_string(const char *text);
bool bytes_equal(struct bytes a, struct bytes b);
bool bytes_equal_string(struct bytes a, const char *text);
bool bytes_starts_with(struct bytes a, struct bytes prefix);
/* The part from `offset` on, at most `size` long; parts outside are cut off, never an error. */
struct bytes bytes_part(struct bytes whole, size_t offset, size_t size);
/* Without the spaces and tabs at both ends. */
struct bytes bytes_trim(struct bytes text);
/* Index of the first `byte`, or whole.size. */
size_t bytes_find(struct bytes whole, uint8_t byte);
/* Well-formed UTF-8 as Unicode 15 table 3-7 has it (no surrogates, no overlong forms). */
bool bytes_is_utf8(struct bytes text);

bool digest32_equal(const struct digest32 *a, const struct digest32 *b);

#endif
