/* SPDX-License-Identifier: Apache-2.0 */
#include "core/json_reader.h"

#include "core/hex.h"

void json_reader_init(struct json_reader *json, struct bytes source)
{
    json->start = source.data;
    json->at = source.data;
    json->end = source.data == NULL ? NULL : source.data + source.size;
    json->failed = false;
    json->has_value = false;
    json->depth = 0;
    json->is_object = 0;
    json->name_count = 0;
}

void json_reader_fail(struct json_reader *json)
{
    json->failed = true;
    json->at = json->end;
}

/* The next byte, 0 at the end: no value and no structure starts or goes on with it. */
static uint8_t peek_byte(const struct json_reader *json)
{
    return json->at < json->end ? *json->at : 0;
}

static void skip_space(struct json_reader *json)
{
    while (json->at < json->end &&
           (*json->at == ' ' || *json->at == '\n' || *json->at == '\r' || *json->at == '\t'))
        json->at++;
}

static bool take_byte(struct json_reader *json, uint8_t byte)
{
    if (peek_byte(json) != byte)
        return false;
    json->at++;
    return true;
}

enum json_kind json_peek(struct json_reader *json)
{
    skip_space(json);
    switch (peek_byte(json)) {
    case '{':
        return JSON_KIND_OBJECT;
    case '[':
        return JSON_KIND_ARRAY;
    case '"':
        return JSON_KIND_STRING;
    case 't':
    case 'f':
        return JSON_KIND_BOOLEAN;
    case 'n':
        return JSON_KIND_NULL;
    case '-':
    case '0' ... '9':
        return JSON_KIND_NUMBER;
    default:
        return JSON_KIND_NONE;
    }
}

static void enter(struct json_reader *json, uint8_t bracket)
{
    skip_space(json);
    if (json->depth == JSON_READER_DEPTH_MAX || !take_byte(json, bracket)) {
        json_reader_fail(json);
        return;
    }
    uint64_t bit = (uint64_t)1 << json->depth;
    json->is_object = bracket == '{' ? json->is_object | bit : json->is_object & ~bit;
    json->first_name[json->depth] = json->name_count;
    json->depth++;
    json->has_value = false;
}

/* Steps to the next member or item of the innermost level; false at its end, which is left. */
static bool next(struct json_reader *json, bool is_object)
{
    uint8_t bracket = is_object ? '}' : ']';
    if (json->depth == 0 || (json->is_object >> (json->depth - 1) & 1) != is_object) {
        json_reader_fail(json);
        return false;
    }
    skip_space(json);
    if (take_byte(json, bracket)) {
        json->depth--;
        json->name_count = json->first_name[json->depth];
        json->has_value = true;
        return false;
    }
    if (json->has_value) {
        if (!take_byte(json, ',')) {
            json_reader_fail(json);
            return false;
        }
        skip_space(json);
    }
    /* Until a value is read, a second step finds neither comma nor bracket. */
    json->has_value = true;
    return !json->failed && json->at < json->end;
}

void json_enter_object(struct json_reader *json)
{
    enter(json, '{');
}

void json_enter_array(struct json_reader *json)
{
    enter(json, '[');
}

/* Length of the UTF-8 sequence of several bytes at `at`, 0 when it is not well-formed. */
static size_t sequence_size(const uint8_t *at, const uint8_t *end)
{
    size_t size = *at >= 0xf0 ? 4 : *at >= 0xe0 ? 3 : 2;
    return (size_t)(end - at) >= size && bytes_is_utf8(bytes_of(at, size)) ? size : 0;
}

/* The four digits of \uXXXX, or -1. */
static int32_t read_unit(const uint8_t *at, const uint8_t *end)
{
    if (end - at < 4)
        return -1;
    int32_t unit = 0;
    for (size_t i = 0; i < 4; i++) {
        int digit = hex_digit_value(at[i]);
        if (digit < 0)
            return -1;
        unit = unit << 4 | digit;
    }
    return unit;
}

/* The character of the escape whose backslash is at `at`, and where it ends; NULL for none. */
static const uint8_t *read_escape(const uint8_t *at, const uint8_t *end, uint32_t *character)
{
    static const char letters[] = "\"\\/bfnrt";
    static const char meanings[] = "\"\\/\b\f\n\r\t";
    if (end - at < 2)
        return NULL;
    for (size_t i = 0; i < sizeof(letters) - 1; i++) {
        if (at[1] == (uint8_t)letters[i]) {
            *character = (uint8_t)meanings[i];
            return at + 2;
        }
    }
    int32_t unit = at[1] == 'u' ? read_unit(at + 2, end) : -1;
    if (unit < 0 || (unit >= 0xdc00 && unit <= 0xdfff))
        return NULL;
    at += 6;
    *character = (uint32_t)unit;
    if (unit < 0xd800 || unit > 0xdbff)
        return at;
    int32_t low = end - at >= 6 && at[0] == '\\' && at[1] == 'u' ? read_unit(at + 2, end) : -1;
    if (low < 0xdc00 || low > 0xdfff)
        return NULL;
    *character = 0x10000 + ((uint32_t)unit - 0xd800) * 0x400 + ((uint32_t)low - 0xdc00);
    return at + 6;
}

struct json_text json_read_string(struct json_reader *json)
{
    struct json_text text = { 0 };
    skip_space(json);
    if (!take_byte(json, '"')) {
        json_reader_fail(json);
        return text;
    }
    const uint8_t *at = json->at;
    while (at != NULL && at < json->end && *at != '"') {
        uint32_t character;
        if (*at == '\\') {
            text.has_escapes = true;
            at = read_escape(at, json->end, &character);
        } else if (*at >= 0x80) {
            size_t size = sequence_size(at, json->end);
            at = size == 0 ? NULL : at + size;
        } else {
            at = *at < 0x20 ? NULL : at + 1;
        }
    }
    if (at == NULL || at == json->end) {
        json_reader_fail(json);
        return (struct json_text){ 0 };
    }
    text.raw = bytes_of(json->at, (size_t)(at - json->at));
    json->at = at + 1;
    return text;
}

/* Walks a well-formed text byte by byte of its meaning. */
struct walk {
    const uint8_t *at;
    const uint8_t *end;
    uint8_t pending[4]; /* UTF-8 of the last escape */
    unsigned pending_count;
    unsigned pending_at;
};

static void put_utf8(struct walk *walk, uint32_t character)
{
    unsigned count = character < 0x80 ? 1 : character < 0x800 ? 2 : character < 0x10000 ? 3 : 4;
    static const uint8_t leads[] = { 0, 0, 0xc0, 0xe0, 0xf0 };
    for (unsigned i = count; i-- > 1; character >>= 6)
        walk->pending[i] = (uint8_t)(0x80 | (character & 0x3f));
    walk->pending[0] = (uint8_t)(leads[count] | character);
    walk->pending_count = count;
    walk->pending_at = 0;
}

/* The next byte, or -1 at the end. */
static int walk_next(struct walk *walk)
{
    if (walk->pending_at == walk->pending_count) {
        if (walk->at == walk->end)
            return -1;
        if (*walk->at != '\\')
            return *walk->at++;
        uint32_t character = 0;
        walk->at = read_escape(walk->at, walk->end, &character);
        ASSERT(walk->at != NULL);
        put_utf8(walk, character);
    }
    return walk->pending[walk->pending_at++];
}

static struct walk walk_of(struct json_text text)
{
    const uint8_t *at = text.raw.data;
    return (struct walk){ .at = at, .end = at == NULL ? NULL : at + text.raw.size };
}

static bool texts_equal(struct json_text a, struct json_text b)
{
    if (!a.has_escapes && !b.has_escapes)
        return bytes_equal(a.raw, b.raw);
    struct walk left = walk_of(a);
    struct walk right = walk_of(b);
    int byte;
    do {
        byte = walk_next(&left);
        if (byte != walk_next(&right))
            return false;
    } while (byte >= 0);
    return true;
}

bool json_text_equal(struct json_text text, const char *expected)
{
    struct bytes bytes = bytes_of_string(expected);
    if (!text.has_escapes)
        return bytes_equal(text.raw, bytes);
    struct walk walk = walk_of(text);
    for (size_t i = 0; i < bytes.size; i++) {
        if (walk_next(&walk) != bytes.data[i])
            return false;
    }
    return walk_next(&walk) < 0;
}

bool json_text_decode(struct json_text text, void *target, size_t capacity, size_t *size)
{
    struct walk walk = walk_of(text);
    size_t used = 0;
    for (int byte = walk_next(&walk); byte >= 0; byte = walk_next(&walk)) {
        if (used == capacity)
            return false;
        ((uint8_t *)target)[used++] = (uint8_t)byte;
    }
    *size = used;
    return true;
}

bool json_next_member(struct json_reader *json, struct json_text *name)
{
    *name = (struct json_text){ 0 };
    if (!next(json, true))
        return false;
    struct json_text read = json_read_string(json);
    skip_space(json);
    bool is_new = json->name_count < JSON_READER_MEMBER_MAX && take_byte(json, ':');
    for (size_t i = json->first_name[json->depth - 1]; is_new && i < json->name_count; i++)
        is_new = !texts_equal(json->names[i], read);
    if (json->failed || !is_new) {
        json_reader_fail(json);
        return false;
    }
    json->names[json->name_count++] = read;
    *name = read;
    return true;
}

bool json_next_item(struct json_reader *json)
{
    return next(json, false);
}

static bool is_digit(uint8_t byte)
{
    return byte >= '0' && byte <= '9';
}

static bool skip_digits(struct json_reader *json)
{
    const uint8_t *from = json->at;
    while (is_digit(peek_byte(json)))
        json->at++;
    return json->at > from;
}

/* Any number, by its grammar; `is_integer`: neither fraction nor exponent. */
static struct bytes read_number(struct json_reader *json, bool *is_integer)
{
    skip_space(json);
    const uint8_t *from = json->at;
    take_byte(json, '-');
    bool is_sound = take_byte(json, '0') || skip_digits(json);
    *is_integer = true;
    if (take_byte(json, '.')) {
        *is_integer = false;
        is_sound = is_sound && skip_digits(json);
    }
    if (peek_byte(json) == 'e' || peek_byte(json) == 'E') {
        *is_integer = false;
        json->at++;
        if (!take_byte(json, '+'))
            take_byte(json, '-');
        is_sound = is_sound && skip_digits(json);
    }
    /* "01" and "1x" would be read as two things; nobody separates values like that. */
    uint8_t after = peek_byte(json);
    if (!is_sound || is_digit(after)) {
        json_reader_fail(json);
        return (struct bytes){ 0 };
    }
    return bytes_of(from, (size_t)(json->at - from));
}

static bool digits_to_number(struct bytes digits, uint64_t *number)
{
    uint64_t value = 0;
    for (size_t i = 0; i < digits.size; i++) {
        if (__builtin_mul_overflow(value, 10, &value) ||
            __builtin_add_overflow(value, (uint64_t)(digits.data[i] - '0'), &value))
            return false;
    }
    *number = value;
    return digits.size > 0;
}

uint64_t json_read_unsigned(struct json_reader *json, uint64_t max)
{
    bool is_integer;
    uint64_t value = 0;
    struct bytes number = read_number(json, &is_integer);
    if (!is_integer || number.size == 0 || number.data[0] == '-' ||
        !digits_to_number(number, &value) || value > max) {
        json_reader_fail(json);
        return 0;
    }
    return value;
}

int64_t json_read_integer(struct json_reader *json, int64_t min, int64_t max)
{
    bool is_integer;
    uint64_t size = 0;
    int64_t value = 0;
    struct bytes number = read_number(json, &is_integer);
    bool is_negative = number.size > 0 && number.data[0] == '-';
    bool is_sound = is_integer &&
                    digits_to_number(bytes_part(number, is_negative ? 1 : 0, number.size), &size) &&
                    !(is_negative && size == 0) &&
                    !(is_negative ? __builtin_sub_overflow(0, size, &value)
                                  : __builtin_add_overflow(0, size, &value)) &&
                    value >= min && value <= max;
    if (!is_sound) {
        json_reader_fail(json);
        return 0;
    }
    return value;
}

static bool take_word(struct json_reader *json, struct bytes word)
{
    if ((size_t)(json->end - json->at) < word.size ||
        !bytes_equal(bytes_of(json->at, word.size), word))
        return false;
    json->at += word.size;
    return true;
}

bool json_read_boolean(struct json_reader *json)
{
    skip_space(json);
    if (take_word(json, BYTES_LITERAL("true")))
        return true;
    if (!take_word(json, BYTES_LITERAL("false")))
        json_reader_fail(json);
    return false;
}

void json_read_null(struct json_reader *json)
{
    skip_space(json);
    if (!take_word(json, BYTES_LITERAL("null")))
        json_reader_fail(json);
}

void json_read_hex(struct json_reader *json, void *target, size_t size)
{
    struct json_text text = json_read_string(json);
    if (json->failed || text.has_escapes || !hex_decode(target, size, text.raw)) {
        json_reader_fail(json);
        for (size_t i = 0; i < size; i++)
            ((uint8_t *)target)[i] = 0;
    }
}

/* Steps into the next level or over the next value that holds none. */
static void skip_one(struct json_reader *json)
{
    bool is_integer;
    switch (json_peek(json)) {
    case JSON_KIND_OBJECT:
        json_enter_object(json);
        break;
    case JSON_KIND_ARRAY:
        json_enter_array(json);
        break;
    case JSON_KIND_STRING:
        json_read_string(json);
        break;
    case JSON_KIND_NUMBER:
        read_number(json, &is_integer);
        break;
    case JSON_KIND_BOOLEAN:
        json_read_boolean(json);
        break;
    case JSON_KIND_NULL:
        json_read_null(json);
        break;
    case JSON_KIND_NONE:
        json_reader_fail(json);
        break;
    }
}

struct bytes json_skip(struct json_reader *json)
{
    const uint8_t *from = json_value_start(json);
    unsigned depth = json->depth;
    skip_one(json);
    while (json->depth > depth && !json->failed) {
        struct json_text name;
        bool is_object = (json->is_object >> (json->depth - 1) & 1) != 0;
        if (is_object ? json_next_member(json, &name) : json_next_item(json))
            skip_one(json);
    }
    if (json->failed)
        return (struct bytes){ 0 };
    return bytes_of(from, (size_t)(json->at - from));
}

const uint8_t *json_value_start(struct json_reader *json)
{
    skip_space(json);
    return json->at;
}

const uint8_t *json_value_end(const struct json_reader *json)
{
    return json->at;
}

bool json_read_end(struct json_reader *json)
{
    skip_space(json);
    return !json->failed && json->depth == 0 && json->at == json->end;
}
