/* SPDX-License-Identifier: Apache-2.0 */
#include "net/structured.h"

#include "core/checked.h"

struct structured structured_of(struct bytes text)
{
    return (struct structured){ .text = text };
}

/* The byte at hand; 0 at the end, which no rule accepts. */
static uint8_t peek(const struct structured *s)
{
    return s->at < s->text.size ? s->text.data[s->at] : 0;
}

static bool take(struct structured *s, uint8_t byte)
{
    if (peek(s) != byte || s->at >= s->text.size)
        return false;
    s->at++;
    return true;
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool is_lower(uint8_t byte)
{
    return byte >= 'a' && byte <= 'z';
}

static bool is_alpha(uint8_t byte)
{
    return is_lower(byte) || (byte >= 'A' && byte <= 'Z');
}

static struct bytes since(const struct structured *s, size_t from)
{
    return bytes_part(s->text, from, s->at - from);
}

static bool read_key(struct structured *s, struct bytes *key)
{
    size_t from = s->at;
    if (!is_lower(peek(s)) && peek(s) != '*')
        return false;
    while (is_lower(peek(s)) || is_digit(peek(s)) || peek(s) == '_' || peek(s) == '-' ||
           peek(s) == '.' || peek(s) == '*')
        s->at++;
    *key = since(s, from);
    return true;
}

static bool read_integer(struct structured *s, struct structured_item *item)
{
    bool negative = take(s, '-');
    unsigned digits = 0;
    item->kind = STRUCTURED_INTEGER;
    item->number = 0;
    for (; is_digit(peek(s)); s->at++, digits++) {
        if (digits == 15)
            return false;
        item->number = item->number * 10 + (peek(s) - '0');
    }
    if (negative)
        item->number = -item->number;
    return digits > 0 && peek(s) != '.';
}

static bool read_string(struct structured *s, struct structured_item *item)
{
    item->kind = STRUCTURED_STRING;
    size_t from = ++s->at;
    for (; peek(s) != '"'; s->at++) {
        if (peek(s) == '\\') {
            item->has_escapes = true;
            s->at++;
            if (peek(s) != '"' && peek(s) != '\\')
                return false;
        } else if (peek(s) < 0x20 || peek(s) > 0x7e) {
            return false;
        }
    }
    item->text = since(s, from);
    s->at++;
    return true;
}

static bool is_token_rest(uint8_t byte)
{
    static const char others[] = "!#$%&'*+-.^_`|~:/";
    for (size_t i = 0; i < sizeof(others) - 1; i++) {
        if (byte == (uint8_t)others[i])
            return true;
    }
    return is_alpha(byte) || is_digit(byte);
}

static bool read_bytes_item(struct structured *s, struct structured_item *item)
{
    item->kind = STRUCTURED_BYTES;
    size_t from = ++s->at;
    while (is_alpha(peek(s)) || is_digit(peek(s)) || peek(s) == '+' || peek(s) == '/' ||
           peek(s) == '=')
        s->at++;
    item->text = since(s, from);
    return take(s, ':');
}

static bool read_bare_item(struct structured *s, struct structured_item *item)
{
    *item = (struct structured_item){ 0 };
    uint8_t first = peek(s);
    if (first == '-' || is_digit(first))
        return read_integer(s, item);
    if (first == '"')
        return read_string(s, item);
    if (first == ':')
        return read_bytes_item(s, item);
    if (first == '?') {
        s->at++;
        item->kind = STRUCTURED_BOOLEAN;
        item->number = peek(s) == '1';
        return take(s, '0') || take(s, '1');
    }
    if (!is_alpha(first) && first != '*')
        return false;
    item->kind = STRUCTURED_TOKEN;
    size_t from = s->at;
    while (is_token_rest(peek(s)))
        s->at++;
    item->text = since(s, from);
    return true;
}

/* Parameters go to `kept` when it is there, and are counted against the same limit otherwise. */
static bool read_parameters(struct structured *s, struct structured_parameter *kept, size_t *count)
{
    *count = 0;
    while (take(s, ';')) {
        struct structured_parameter parameter = { .value = { .kind = STRUCTURED_BOOLEAN,
                                                             .number = 1 } };
        while (take(s, ' '))
            continue;
        if (*count == SIGNATURE_PARAMETER_COUNT_MAX || !read_key(s, &parameter.name) ||
            (take(s, '=') && !read_bare_item(s, &parameter.value)))
            return false;
        for (size_t i = 0; kept != NULL && i < *count; i++) {
            if (bytes_equal(kept[i].name, parameter.name))
                return false;
        }
        if (kept != NULL)
            kept[*count] = parameter;
        (*count)++;
    }
    return true;
}

static bool read_list(struct structured *s, struct structured_member *member)
{
    member->is_list = true;
    s->at++; /* '(' */
    for (;;) {
        bool space = false;
        while (take(s, ' '))
            space = true;
        if (take(s, ')'))
            return true;
        if (member->item_count == SIGNATURE_COMPONENT_COUNT_MAX ||
            (member->item_count > 0 && !space))
            return false;
        struct structured_item *item = &member->items[member->item_count++];
        size_t count;
        if (!read_bare_item(s, item) || !read_parameters(s, NULL, &count))
            return false;
        item->has_parameters = count > 0;
    }
}

static bool read_member(struct structured *s, struct structured_member *member)
{
    member->is_list = false;
    member->item_count = 0;
    if (!read_key(s, &member->name))
        return false;
    size_t from = s->at;
    if (!take(s, '=')) {
        member->items[member->item_count++] =
            (struct structured_item){ .kind = STRUCTURED_BOOLEAN, .number = 1 };
    } else {
        from = s->at;
        if (peek(s) == '(') {
            if (!read_list(s, member))
                return false;
        } else if (!read_bare_item(s, &member->items[member->item_count++])) {
            return false;
        }
    }
    if (!read_parameters(s, member->parameters, &member->parameter_count))
        return false;
    member->raw = since(s, from);
    return true;
}

static void skip_blanks(struct structured *s)
{
    while (take(s, ' ') || take(s, '\t'))
        continue;
}

enum structured_step structured_next(struct structured *s, struct structured_member *member)
{
    if (!s->started) {
        s->started = true;
        while (take(s, ' '))
            continue;
        if (s->text.size > SIGNATURE_FIELD_SIZE_MAX)
            return STRUCTURED_BAD;
        if (s->at == s->text.size)
            return STRUCTURED_END;
    } else {
        skip_blanks(s);
        if (s->at == s->text.size)
            return STRUCTURED_END;
        if (!take(s, ','))
            return STRUCTURED_BAD;
        skip_blanks(s);
    }
    if (s->member_count++ == SIGNATURE_LABEL_COUNT_MAX || !read_member(s, member))
        return STRUCTURED_BAD;
    return STRUCTURED_MEMBER;
}

enum structured_step structured_find(struct structured_member *member, struct bytes text,
                                     const char *name)
{
    struct structured s = structured_of(text);
    struct structured_member at;
    bool found = false;
    for (;;) {
        enum structured_step step = structured_next(&s, &at);
        if (step == STRUCTURED_BAD)
            return STRUCTURED_BAD;
        if (step == STRUCTURED_END)
            return found ? STRUCTURED_MEMBER : STRUCTURED_END;
        if (!bytes_equal_string(at.name, name))
            continue;
        if (found)
            return STRUCTURED_BAD;
        found = true;
        *member = at;
    }
}
