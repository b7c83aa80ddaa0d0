/* SPDX-License-Identifier: Apache-2.0 */
#include "metrics/trace_context.h"

#include "core/hex.h"

#include <string.h>

enum {
    VERSION_00_SIZE = TRACE_PARENT_TEXT_SIZE - 1,
    STATE_MEMBER_COUNT_MAX = 32,
    STATE_KEY_SIZE_MAX = 256,
    STATE_TENANT_SIZE_MAX = 241,
    STATE_SYSTEM_SIZE_MAX = 14,
    STATE_VALUE_SIZE_MAX = 256
};

/* ---- traceparent ---- */

/* Upper case is not allowed here. */
static bool read_hex(uint8_t *target, size_t size, struct bytes text)
{
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] >= 'A' && text.data[i] <= 'F')
            return false;
    }
    return hex_decode(target, size, text);
}

static bool is_zero(const uint8_t *bytes, size_t size)
{
    uint8_t all = 0;
    for (size_t i = 0; i < size; i++)
        all |= bytes[i];
    return all == 0;
}

bool trace_parent_parse(struct trace_parent *parent, struct bytes text)
{
    struct trace_parent read;
    uint8_t version;
    if (text.size < VERSION_00_SIZE || !read_hex(&version, 1, bytes_part(text, 0, 2)) ||
        version == 0xff)
        return false;
    /* later versions may go on behind another hyphen */
    if (text.size > VERSION_00_SIZE && (version == 0 || text.data[VERSION_00_SIZE] != '-'))
        return false;
    if (text.data[2] != '-' || text.data[35] != '-' || text.data[52] != '-' ||
        !read_hex(read.trace_id, sizeof(read.trace_id), bytes_part(text, 3, 32)) ||
        !read_hex(read.span_id, sizeof(read.span_id), bytes_part(text, 36, 16)) ||
        !read_hex(&read.flags, 1, bytes_part(text, 53, 2)) ||
        is_zero(read.trace_id, sizeof(read.trace_id)) ||
        is_zero(read.span_id, sizeof(read.span_id)))
        return false;
    read.flags &= TRACE_FLAG_SAMPLED;
    *parent = read;
    return true;
}

void trace_parent_print(char text[TRACE_PARENT_TEXT_SIZE], const struct trace_parent *parent)
{
    memcpy(text, "00-", 3);
    hex_encode(text + 3, BYTES_OF(parent->trace_id));
    text[35] = '-';
    hex_encode(text + 36, BYTES_OF(parent->span_id));
    text[52] = '-';
    hex_encode(text + 53, bytes_of(&parent->flags, 1));
}

/* ---- tracestate ---- */

static bool is_letter(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_key_part(struct bytes part, size_t size_max, bool digit_may_begin)
{
    if (part.size == 0 || part.size > size_max ||
        !(is_letter(part.data[0]) || (digit_may_begin && is_digit(part.data[0]))))
        return false;
    for (size_t i = 1; i < part.size; i++) {
        uint8_t byte = part.data[i];
        if (!is_letter(byte) && !is_digit(byte) && byte != '_' && byte != '-' && byte != '*' &&
            byte != '/')
            return false;
    }
    return true;
}

/* Section 3.3.1.3.1. */
static bool is_key(struct bytes key)
{
    size_t at = bytes_find(key, '@');
    if (at == key.size)
        return is_key_part(key, STATE_KEY_SIZE_MAX, false);
    return is_key_part(bytes_part(key, 0, at), STATE_TENANT_SIZE_MAX, true) &&
           is_key_part(bytes_part(key, at + 1, key.size), STATE_SYSTEM_SIZE_MAX, false);
}

static bool is_value(struct bytes value)
{
    if (value.size == 0 || value.size > STATE_VALUE_SIZE_MAX)
        return false;
    for (size_t i = 0; i < value.size; i++) {
        uint8_t byte = value.data[i];
        if (byte < 0x20 || byte > 0x7e || byte == ',' || byte == '=')
            return false;
    }
    return value.data[value.size - 1] != ' ';
}

static struct bytes take_member(struct bytes *rest)
{
    struct bytes member = bytes_part(*rest, 0, bytes_find(*rest, ','));
    *rest = bytes_part(*rest, member.size + 1, rest->size);
    return member;
}

static struct bytes key_of(struct bytes member)
{
    return bytes_part(member, 0, bytes_find(member, '='));
}

/* Is there room for one more member with this key? */
static bool may_add(const struct trace_context *context, struct bytes member)
{
    struct bytes rest = trace_state(context);
    size_t count = 0;
    for (; rest.size > 0; count++) {
        if (bytes_equal(key_of(take_member(&rest)), key_of(member)))
            return false;
    }
    return count < STATE_MEMBER_COUNT_MAX &&
           member.size + (count > 0) <= sizeof(context->state) - context->state_size;
}

bool trace_state_add(struct trace_context *context, struct bytes field)
{
    while (field.size > 0) {
        /* spaces at the end of a value are not its own, so they are white space of the list */
        struct bytes member = bytes_trim(take_member(&field));
        struct bytes key = key_of(member);
        if (member.size == 0)
            continue; /* empty members are allowed */
        if (!is_key(key) || !is_value(bytes_part(member, key.size + 1, member.size)) ||
            !may_add(context, member)) {
            context->state_size = 0;
            return false;
        }
        if (context->state_size > 0)
            context->state[context->state_size++] = ',';
        memcpy(context->state + context->state_size, member.data, member.size);
        context->state_size += member.size;
    }
    return true;
}

struct bytes trace_state(const struct trace_context *context)
{
    return bytes_of(context->state, context->state_size);
}

/* ---- a request's own ---- */

void trace_context_begin(struct trace_context *context, const struct trace_parent *parent,
                         const uint8_t fresh[TRACE_ID_SIZE + TRACE_SPAN_SIZE])
{
    context->has_caller = parent != NULL;
    context->state_size = 0;
    memset(context->caller, 0, sizeof(context->caller));
    memset(&context->here, 0, sizeof(context->here));
    memcpy(context->here.span_id, fresh, TRACE_SPAN_SIZE);
    if (parent != NULL) {
        memcpy(context->here.trace_id, parent->trace_id, TRACE_ID_SIZE);
        memcpy(context->caller, parent->span_id, TRACE_SPAN_SIZE);
        context->here.flags = parent->flags;
    } else {
        memcpy(context->here.trace_id, fresh + TRACE_SPAN_SIZE, TRACE_ID_SIZE);
    }
    /* a chance of 1 in 2^64, but zeros mean "none" */
    if (is_zero(context->here.span_id, TRACE_SPAN_SIZE))
        context->here.span_id[0] = 1;
    if (is_zero(context->here.trace_id, TRACE_ID_SIZE))
        context->here.trace_id[0] = 1;
}
