/* SPDX-License-Identifier: Apache-2.0 */
#include "logs/redact.h"

#include "base/secret.h"
#include "core/hex.h"
#include "crypto/base64.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

enum {
    ENCODED_SIZE_MIN = 6, /* bytes whose Base64 is looked for: eight characters */
    PAIR_EDGE = 3         /* characters beside them that hold bits of the value */
};

struct redactions {
    atomic_uint references;
    struct secret_buffer *values;
    size_t count, capacity;
    size_t size;
    bool is_overfull; /* there were values that are not here */
};

struct redactions *redactions_hold(struct redactions *redactions)
{
    if (redactions != NULL)
        atomic_fetch_add(&redactions->references, 1);
    return redactions;
}

void redactions_release(struct redactions *redactions)
{
    if (redactions == NULL || atomic_fetch_sub(&redactions->references, 1) != 1)
        return;
    for (size_t i = 0; i < redactions->count; i++)
        secret_buffer_done(&redactions->values[i]);
    free(redactions->values);
    free(redactions);
}

static bool is_known(const struct redactions *redactions, struct bytes value)
{
    for (size_t i = 0; i < redactions->count; i++) {
        const struct secret_buffer *known = &redactions->values[i];
        if (known->size == value.size && secret_equal(known->data, value.data, value.size))
            return true;
    }
    return false;
}

static bool value_add(struct redactions *redactions, struct bytes value, struct error *error)
{
    if (is_known(redactions, value))
        return true;
    if (redactions->count == REDACT_VALUE_COUNT_MAX || value.size > REDACT_VALUE_SIZE_MAX ||
        value.size > REDACT_VALUES_SIZE_MAX - redactions->size) {
        redactions->is_overfull = true;
        return true;
    }
    if (redactions->count == redactions->capacity) {
        size_t capacity = redactions->capacity == 0 ? 4 : 2 * redactions->capacity;
        struct secret_buffer *grown = realloc(redactions->values, capacity * sizeof(*grown));
        if (grown == NULL)
            return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
        redactions->values = grown;
        redactions->capacity = capacity;
    }
    struct secret_buffer *added = &redactions->values[redactions->count];
    if (!secret_buffer_init(added, value.size, error))
        return false;
    memcpy(added->data, value.data, value.size);
    redactions->count++;
    redactions->size += value.size;
    return true;
}

bool redactions_add(struct redactions **redactions, struct bytes value, struct error *error)
{
    if (value.size < REDACT_VALUE_SIZE_MIN)
        return true;
    if (*redactions != NULL)
        return value_add(*redactions, value, error);
    AUTO(redactions) struct redactions *made = calloc(1, sizeof(*made));
    if (made == NULL)
        return error_set(error, ERROR_NO_MEMORY, "no memory for a secret");
    atomic_init(&made->references, 1);
    if (!value_add(made, value, error))
        return false;
    *redactions = TAKE(made);
    return true;
}

/* --- finding them --- */

static bool is_base64_character(uint8_t byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9') || byte == '+' || byte == '/' || byte == '-' ||
           byte == '_' || byte == '=';
}

/* A text, and which of its bytes stand for a value. */
struct marked {
    struct bytes text;
    uint8_t *marks;
};

static void mark(struct marked *marked, size_t from, size_t to, bool is_base64)
{
    struct bytes text = marked->text;
    for (int i = 0; is_base64 && i < PAIR_EDGE; i++) {
        if (from > 0 && is_base64_character(text.data[from - 1]))
            from--;
        if (to < text.size && is_base64_character(text.data[to]))
            to++;
    }
    memset(marked->marks + from, 1, to - from);
}

static void mark_all(struct marked *marked, struct bytes wanted, bool is_base64)
{
    struct bytes text = marked->text;
    for (size_t at = 0; at + wanted.size <= text.size;) {
        const uint8_t *found = memmem(text.data + at, text.size - at, wanted.data, wanted.size);
        if (found == NULL)
            break;
        size_t from = (size_t)(found - text.data);
        mark(marked, from, from + wanted.size, is_base64);
        at = from + 1; /* it may overlap itself */
    }
    /* Cut off at the end: the longest beginning of it that stands there. */
    for (size_t size = MIN(wanted.size - 1, text.size); size >= REDACT_VALUE_SIZE_MIN; size--) {
        if (memcmp(text.data + text.size - size, wanted.data, size) == 0) {
            mark(marked, text.size - size, text.size, is_base64);
            break;
        }
    }
}

static void mark_lines(struct marked *marked, struct bytes value)
{
    if (bytes_find(value, '\n') == value.size)
        return;
    while (value.size > 0) {
        struct bytes line = bytes_part(value, 0, bytes_find(value, '\n'));
        value = bytes_part(value, line.size + 1, value.size);
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
        if (line.size >= REDACT_LINE_SIZE_MIN)
            mark_all(marked, line, false);
    }
}

/* As the host call writes it, a level before each line. */
static void mark_levels(struct marked *marked, struct bytes value, uint8_t *space)
{
    if (bytes_find(value, '\n') == value.size)
        return;
    for (uint8_t level = '0'; level <= '7'; level++) {
        size_t size = 0;
        for (size_t i = 0; i < value.size; i++) {
            space[size++] = value.data[i];
            if (value.data[i] == '\n' && i + 1 < value.size) {
                space[size++] = '<';
                space[size++] = level;
                space[size++] = '>';
            }
        }
        mark_all(marked, bytes_of(space, size), false);
    }
}

static void mark_hex(struct marked *marked, struct bytes value, uint8_t *space)
{
    struct bytes text = bytes_of(space, 2 * value.size);
    hex_encode((char *)space, value);
    mark_all(marked, text, false);
    for (size_t i = 0; i < text.size; i++) {
        if (space[i] >= 'a')
            space[i] = (uint8_t)(space[i] - 'a' + 'A');
    }
    mark_all(marked, text, false);
}

/* The groups of three bytes that are all the value's, for each place where it may begin. */
static void mark_base64(struct marked *marked, struct bytes value, uint8_t *space)
{
    for (size_t skipped = 0; skipped < 3; skipped++) {
        struct bytes whole = bytes_part(value, skipped, value.size);
        whole.size -= whole.size % 3;
        if (whole.size < ENCODED_SIZE_MIN)
            continue;
        struct bytes text = bytes_of(space, whole.size / 3 * 4);
        base64_encode((char *)space, whole);
        mark_all(marked, text, true);
        base64url_encode((char *)space, whole);
        mark_all(marked, text, true);
    }
}

/* false: no memory for the forms. */
static bool mark_value(struct marked *marked, const struct secret_buffer *secret)
{
    struct bytes value = bytes_of(secret->data, secret->size);
    AUTO_SECRET_BUFFER struct secret_buffer space = { 0 };
    struct error ignored;
    size_t lines = 0;
    for (size_t i = 0; i < value.size; i++)
        lines += value.data[i] == '\n';
    if (!secret_buffer_init(&space, MAX(2 * value.size + 8, value.size + 3 * lines), &ignored))
        return false;
    mark_all(marked, value, false);
    mark_lines(marked, value);
    mark_levels(marked, value, space.data);
    mark_hex(marked, value, space.data);
    mark_base64(marked, value, space.data);
    return true;
}

static void take_out(struct buffer *text, const uint8_t *marks)
{
    size_t size = 0;
    for (size_t i = 0; i < text->size; i++) {
        if (marks[i] == 0) {
            text->data[size++] = text->data[i];
        } else if (i == 0 || marks[i - 1] == 0) {
            memcpy(text->data + size, "***", 3); /* a mark is longer than this */
            size += 3;
            i += 2;
        }
    }
    secret_wipe(text->data + size, text->size - size);
    text->size = size;
}

static void take_all_out(struct buffer *text)
{
    secret_wipe(text->data, text->size);
    text->size = MIN(text->size, (size_t)3);
    memset(text->data, '*', text->size);
}

void redact(struct buffer *text, const struct redactions *redactions)
{
    if (redactions == NULL || text->size == 0)
        return;
    struct marked marked = { buffer_view(text), calloc(1, text->size) };
    bool is_done = marked.marks != NULL && !redactions->is_overfull;
    for (size_t i = 0; i < redactions->count && is_done; i++)
        is_done = mark_value(&marked, &redactions->values[i]);
    if (is_done)
        take_out(text, marked.marks);
    else
        take_all_out(text);
    free(marked.marks);
}
