/* SPDX-License-Identifier: Apache-2.0 */
#include "core/cbor.h"

enum {
    MAJOR_UNSIGNED = 0,
    MAJOR_NEGATIVE = 1,
    MAJOR_BYTES = 2,
    MAJOR_TEXT = 3,
    MAJOR_ARRAY = 4,
    MAJOR_MAP = 5,
    MAJOR_TAG = 6,
    MAJOR_OTHER = 7,
    OTHER_FALSE = 20,
    OTHER_TRUE = 21,
    OTHER_NULL = 22,
    OTHER_UNDEFINED = 23,
    OTHER_BYTE = 24,
    OTHER_HALF = 25,
    OTHER_SINGLE = 26,
    OTHER_DOUBLE = 27,
    BREAK = 0xff
};

/* The first bytes of an item: major type, the low five bits, and the number they stand for. */
struct head {
    unsigned major;
    unsigned low;
    uint64_t number;
    bool is_indefinite; /* an array or map until the break */
};

static struct head read_head(struct reader *reader)
{
    uint8_t byte = read_u8(reader);
    struct head head = { .major = byte >> 5, .low = byte & 31, .number = byte & 31 };
    uint64_t least = 0; /* below it a shorter head would have done */
    switch (head.low) {
    case 24:
        head.number = read_u8(reader);
        least = head.major == MAJOR_OTHER ? 32 : 24;
        break;
    case 25:
        head.number = read_u16_be(reader);
        least = (uint64_t)UINT8_MAX + 1;
        break;
    case 26:
        head.number = read_u32_be(reader);
        least = (uint64_t)UINT16_MAX + 1;
        break;
    case 27:
        head.number = read_u64_be(reader);
        least = (uint64_t)UINT32_MAX + 1;
        break;
    default:
        head.is_indefinite =
            head.low == 31 && (head.major == MAJOR_ARRAY || head.major == MAJOR_MAP);
        if (head.low > 27 && !head.is_indefinite) /* reserved, a string in parts, a break */
            reader_fail(reader);
    }
    bool is_float = head.major == MAJOR_OTHER && head.low >= OTHER_HALF;
    if (!is_float && head.number < least)
        reader_fail(reader);
    return reader->failed ? (struct head){ 0 } : head;
}

static enum cbor_kind kind_of(const struct head *head)
{
    static const enum cbor_kind kinds[] = { CBOR_UNSIGNED, CBOR_NEGATIVE, CBOR_BYTES, CBOR_TEXT,
                                            CBOR_ARRAY,    CBOR_MAP,      CBOR_TAG };
    if (head->major != MAJOR_OTHER)
        return kinds[head->major];
    switch (head->low) {
    case OTHER_FALSE:
    case OTHER_TRUE:
        return CBOR_BOOLEAN;
    case OTHER_NULL:
        return CBOR_NULL;
    case OTHER_UNDEFINED:
        return CBOR_UNDEFINED;
    case OTHER_HALF:
    case OTHER_SINGLE:
    case OTHER_DOUBLE:
        return CBOR_FLOAT;
    default:
        return CBOR_SIMPLE;
    }
}

enum cbor_kind cbor_peek(const struct reader *reader)
{
    struct reader copy = *reader;
    struct head head = read_head(&copy);
    return copy.failed ? CBOR_NONE : kind_of(&head);
}

/* The head of the next item, which must be of this kind. */
static struct head take(struct reader *reader, enum cbor_kind kind)
{
    struct head head = read_head(reader);
    if (!reader->failed && kind_of(&head) != kind)
        reader_fail(reader);
    return reader->failed ? (struct head){ 0 } : head;
}

static struct bytes take_content(struct reader *reader, uint64_t size)
{
    return read_bytes(reader, read_count(reader, size, SIZE_MAX, 1));
}

uint64_t cbor_read_unsigned(struct reader *reader)
{
    return take(reader, CBOR_UNSIGNED).number;
}

int64_t cbor_read_integer(struct reader *reader)
{
    bool is_negative = cbor_peek(reader) == CBOR_NEGATIVE;
    uint64_t number = take(reader, is_negative ? CBOR_NEGATIVE : CBOR_UNSIGNED).number;
    if (number > INT64_MAX) {
        reader_fail(reader);
        return 0;
    }
    return is_negative ? -1 - (int64_t)number : (int64_t)number;
}

struct bytes cbor_read_bytes(struct reader *reader)
{
    return take_content(reader, take(reader, CBOR_BYTES).number);
}

struct bytes cbor_read_text(struct reader *reader)
{
    struct bytes text = take_content(reader, take(reader, CBOR_TEXT).number);
    if (bytes_is_utf8(text))
        return text;
    reader_fail(reader);
    return (struct bytes){ 0 };
}

/* Enters an array or map. */
static struct cbor_items enter(struct reader *reader, enum cbor_kind kind, size_t max,
                               size_t size_each)
{
    struct head head = take(reader, kind);
    if (head.is_indefinite)
        return (struct cbor_items){ .left = max, .is_indefinite = true };
    return (struct cbor_items){ .left = read_count(reader, head.number, max, size_each) };
}

struct cbor_items cbor_enter_array(struct reader *reader, size_t max)
{
    return enter(reader, CBOR_ARRAY, max, 1);
}

struct cbor_items cbor_enter_map(struct reader *reader, size_t max)
{
    return enter(reader, CBOR_MAP, max, 2);
}

bool cbor_next(struct cbor_items *items, struct reader *reader)
{
    if (reader->failed)
        return false;
    if (items->is_indefinite) {
        if (reader_left(reader) > 0 && *reader->at == BREAK) {
            read_skip(reader, 1);
            return false;
        }
        if (items->left == 0)
            reader_fail(reader);
    }
    if (reader->failed || items->left == 0)
        return false;
    items->left--;
    return true;
}

/* The count of what must be definite. */
static size_t read_definite(struct reader *reader, struct cbor_items items)
{
    if (items.is_indefinite)
        reader_fail(reader);
    return reader->failed ? 0 : items.left;
}

size_t cbor_read_array(struct reader *reader, size_t max)
{
    return read_definite(reader, cbor_enter_array(reader, max));
}

size_t cbor_read_map(struct reader *reader, size_t max)
{
    return read_definite(reader, cbor_enter_map(reader, max));
}

uint64_t cbor_read_tag(struct reader *reader)
{
    return take(reader, CBOR_TAG).number;
}

bool cbor_read_boolean(struct reader *reader)
{
    return take(reader, CBOR_BOOLEAN).low == OTHER_TRUE;
}

void cbor_read_null(struct reader *reader)
{
    (void)take(reader, CBOR_NULL);
}

/* IEEE 754 widths by their fields; all values of a narrower one exist in binary64. */
static uint64_t widen(uint64_t bits, unsigned exponent_bits, unsigned fraction_bits)
{
    uint64_t fraction = bits & (((uint64_t)1 << fraction_bits) - 1);
    uint64_t exponent = bits >> fraction_bits & (((uint64_t)1 << exponent_bits) - 1);
    uint64_t sign = bits >> (fraction_bits + exponent_bits) << 63;
    uint64_t bias = 1023 - (((uint64_t)1 << (exponent_bits - 1)) - 1);
    uint64_t aligned = fraction << (52 - fraction_bits);
    if (exponent == ((uint64_t)1 << exponent_bits) - 1)
        return sign | (uint64_t)2047 << 52 | aligned;
    if (exponent != 0)
        return sign | (exponent + bias) << 52 | aligned;
    if (fraction == 0)
        return sign;
    /* A subnormal becomes normal: shift its leading one out. */
    uint64_t wide = bias + 1;
    while ((aligned & (uint64_t)1 << 52) == 0) {
        aligned <<= 1;
        wide--;
    }
    return sign | wide << 52 | (aligned & (((uint64_t)1 << 52) - 1));
}

static uint64_t float_bits(const struct head *head)
{
    if (head->low == OTHER_DOUBLE)
        return head->number;
    return head->low == OTHER_HALF ? widen(head->number, 5, 10) : widen(head->number, 8, 23);
}

uint64_t cbor_read_float_bits(struct reader *reader)
{
    struct head head = take(reader, CBOR_FLOAT);
    return reader->failed ? 0 : float_bits(&head);
}

/* Whether some narrower float has the same value; the one form of not-a-number is f9 7e00. */
static bool is_shortest_float(const struct head *head)
{
    uint64_t bits = float_bits(head);
    uint64_t fraction = bits & (((uint64_t)1 << 52) - 1);
    uint64_t exponent = bits >> 52 & 2047;
    if (exponent == 2047 && fraction != 0)
        return head->low == OTHER_HALF && head->number == 0x7e00;
    if (head->low == OTHER_HALF)
        return true;
    static const struct {
        unsigned exponent_bits, fraction_bits;
    } narrower[] = { { 5, 10 }, { 8, 23 } };
    for (size_t i = 0; i < (head->low == OTHER_SINGLE ? 1U : 2U); i++) {
        unsigned drop = 52 - narrower[i].fraction_bits;
        int64_t bias = ((int64_t)1 << (narrower[i].exponent_bits - 1)) - 1;
        int64_t power = (int64_t)exponent - 1023;
        uint64_t lost = ((uint64_t)1 << drop) - 1;
        if (exponent == 0 || exponent == 2047) {
            if (fraction == 0)
                return false;
            continue;
        }
        /* Below the smallest normal number each power costs one more bit of the fraction. */
        if (power < 1 - bias) {
            uint64_t more = (uint64_t)(1 - bias - power);
            if (more > narrower[i].fraction_bits)
                continue;
            lost = ((uint64_t)1 << (drop + more)) - 1;
        }
        if (power <= bias && (fraction & lost) == 0)
            return false;
    }
    return true;
}

/* Items that are still open while an item is looked at from its first byte to its last. */
struct open_item {
    uint64_t left; /* items that must still come */
    bool is_map;   /* then an even number left means: a key comes */
    bool is_indefinite;
    size_t key_first; /* of this map's keys in `keys` */
};

struct check {
    struct reader reader;
    enum cbor_order order;
    struct open_item open[CBOR_DEPTH_MAX];
    size_t depth;
    struct bytes keys[CBOR_KEYS_MAX];
    size_t key_count;
};

/* In the order of section 4.2.1: byte by byte, a prefix first. */
static int compare_keys(struct bytes left, struct bytes right)
{
    for (size_t i = 0; i < left.size && i < right.size; i++) {
        if (left.data[i] != right.data[i])
            return left.data[i] < right.data[i] ? -1 : 1;
    }
    return left.size == right.size ? 0 : left.size < right.size ? -1 : 1;
}

static bool add_key(struct check *check, struct bytes key)
{
    const struct open_item *map = &check->open[check->depth - 1];
    if (check->order == CBOR_SORTED) {
        if (check->key_count > map->key_first &&
            compare_keys(check->keys[check->key_count - 1], key) >= 0)
            return false;
    } else {
        for (size_t i = map->key_first; i < check->key_count; i++) {
            if (bytes_equal(check->keys[i], key))
                return false;
        }
    }
    if (check->key_count == CBOR_KEYS_MAX)
        return false;
    check->keys[check->key_count++] = key;
    return true;
}

/* Enters an array, map or tag. */
static bool open_item(struct check *check, const struct head *head)
{
    bool is_map = head->major == MAJOR_MAP;
    uint64_t count = head->major == MAJOR_TAG ? 1 : head->number;
    /* Each item takes a byte at least: a larger count can't be met, and doubling is safe. */
    uint64_t left =
        read_count(&check->reader, head->is_indefinite ? 0 : count, SIZE_MAX / 2, is_map ? 2 : 1);
    if (is_map)
        left *= 2;
    if (head->is_indefinite) {
        if (check->order != CBOR_AS_EMITTED)
            return false;
        left = UINT64_MAX - 1; /* even, and more than there can be */
    }
    if (check->reader.failed || check->depth == CBOR_DEPTH_MAX)
        return false;
    check->open[check->depth++] = (struct open_item){ .left = left,
                                                      .is_map = is_map,
                                                      .is_indefinite = head->is_indefinite,
                                                      .key_first = check->key_count };
    return true;
}

/* Whether the break of the innermost item came, which is closed then. */
static bool take_break(struct check *check)
{
    struct open_item *open = check->depth == 0 ? NULL : &check->open[check->depth - 1];
    if (open == NULL || !open->is_indefinite || reader_left(&check->reader) == 0 ||
        *check->reader.at != BREAK || (open->is_map && open->left % 2 != 0))
        return false;
    read_skip(&check->reader, 1);
    open->left = 0;
    return true;
}

/* One head with its content; nested items come as their own steps. */
static bool check_step(struct check *check)
{
    if (take_break(check))
        return true;
    bool is_key = check->depth > 0 && check->open[check->depth - 1].is_map &&
                  check->open[check->depth - 1].left % 2 == 0;
    if (check->depth > 0)
        check->open[check->depth - 1].left--;
    const uint8_t *start = check->reader.at;
    struct head head = read_head(&check->reader);
    if (check->reader.failed || (is_key && head.major > MAJOR_TEXT))
        return false;
    switch (head.major) {
    case MAJOR_BYTES:
        take_content(&check->reader, head.number);
        break;
    case MAJOR_TEXT:
        if (!bytes_is_utf8(take_content(&check->reader, head.number)))
            return false;
        break;
    case MAJOR_ARRAY:
    case MAJOR_MAP:
    case MAJOR_TAG:
        return open_item(check, &head);
    case MAJOR_OTHER:
        if (kind_of(&head) == CBOR_FLOAT && check->order == CBOR_SORTED &&
            !is_shortest_float(&head))
            return false;
        break;
    default:
        break;
    }
    if (check->reader.failed)
        return false;
    return !is_key || add_key(check, bytes_of(start, (size_t)(check->reader.at - start)));
}

struct bytes cbor_first(struct bytes source, enum cbor_order order)
{
    struct check check;
    check.reader = reader_of(source);
    check.order = order;
    check.depth = 0;
    check.key_count = 0;
    do {
        if (!check_step(&check))
            return (struct bytes){ 0 };
        while (check.depth > 0 && check.open[check.depth - 1].left == 0)
            check.key_count = check.open[--check.depth].key_first;
    } while (check.depth > 0);
    return bytes_part(source, 0, reader_offset(&check.reader));
}

struct reader cbor_reader_of(struct bytes source, enum cbor_order order)
{
    struct bytes first = cbor_first(source, order);
    struct reader reader = reader_of(first);
    if (first.size == 0 || first.size != source.size)
        reader_fail(&reader);
    return reader;
}

struct bytes cbor_read_item(struct reader *reader)
{
    struct bytes item = cbor_first(bytes_of(reader->at, reader_left(reader)), CBOR_AS_EMITTED);
    if (reader->failed || item.size == 0) {
        reader_fail(reader);
        return (struct bytes){ 0 };
    }
    return read_bytes(reader, item.size);
}

static void write_head(struct writer *writer, unsigned major, uint64_t number)
{
    uint8_t type = (uint8_t)(major << 5);
    if (number < 24) {
        write_u8(writer, type | (uint8_t)number);
    } else if (number <= UINT8_MAX) {
        write_u8(writer, type | 24);
        write_u8(writer, (uint8_t)number);
    } else if (number <= UINT16_MAX) {
        write_u8(writer, type | 25);
        write_u16_be(writer, (uint16_t)number);
    } else if (number <= UINT32_MAX) {
        write_u8(writer, type | 26);
        write_u32_be(writer, (uint32_t)number);
    } else {
        write_u8(writer, type | 27);
        write_u64_be(writer, number);
    }
}

void cbor_write_unsigned(struct writer *writer, uint64_t number)
{
    write_head(writer, MAJOR_UNSIGNED, number);
}

void cbor_write_integer(struct writer *writer, int64_t number)
{
    if (number >= 0)
        write_head(writer, MAJOR_UNSIGNED, (uint64_t)number);
    else
        write_head(writer, MAJOR_NEGATIVE, (uint64_t)(-1 - number));
}

void cbor_write_bytes_head(struct writer *writer, size_t size)
{
    write_head(writer, MAJOR_BYTES, size);
}

void cbor_write_bytes(struct writer *writer, struct bytes content)
{
    write_head(writer, MAJOR_BYTES, content.size);
    write_bytes(writer, content);
}

void cbor_write_text(struct writer *writer, struct bytes text)
{
    write_head(writer, MAJOR_TEXT, text.size);
    write_bytes(writer, text);
}

void cbor_write_array(struct writer *writer, size_t count)
{
    write_head(writer, MAJOR_ARRAY, count);
}

void cbor_write_map(struct writer *writer, size_t count)
{
    write_head(writer, MAJOR_MAP, count);
}

void cbor_write_tag(struct writer *writer, uint64_t tag)
{
    write_head(writer, MAJOR_TAG, tag);
}

void cbor_write_boolean(struct writer *writer, bool value)
{
    write_head(writer, MAJOR_OTHER, value ? OTHER_TRUE : OTHER_FALSE);
}

void cbor_write_null(struct writer *writer)
{
    write_head(writer, MAJOR_OTHER, OTHER_NULL);
}
