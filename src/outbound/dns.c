/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/dns.h"

#include "core/reader.h"

#include <string.h>

enum {
    HEADER_SIZE = 12,
    FLAG_ANSWER = 0x8000,
    FLAG_CUT = 0x0200,
    FLAG_RECURSION = 0x0100,
    OPCODE_MASK = 0x7800,
    RCODE_MASK = 0x000f,
    RCODE_NO_NAME = 3,
    TYPE_CNAME = 5,
    TYPE_OPT = 41,
    CLASS_IN = 1,
    POINTER_COUNT_MAX = 32
};

/* A name as text, lower case. */
struct name {
    char text[DNS_NAME_SIZE_MAX + 1];
};

void dns_question_write(struct writer *writer, const struct dns_question *question)
{
    write_u16_be(writer, question->id);
    write_u16_be(writer, FLAG_RECURSION);
    write_u16_be(writer, 1);
    write_u16_be(writer, 0);
    write_u16_be(writer, 0);
    write_u16_be(writer, 1);
    for (const char *at = question->name; *at != '\0';) {
        size_t size = strcspn(at, ".");
        write_u8(writer, (uint8_t)size);
        write_bytes(writer, bytes_of(at, size));
        at += size + (at[size] == '.');
    }
    write_u8(writer, 0);
    write_u16_be(writer, question->type);
    write_u16_be(writer, CLASS_IN);
    /* EDNS: the root's name, type, what we take, no flags, no options. */
    write_u8(writer, 0);
    write_u16_be(writer, TYPE_OPT);
    write_u16_be(writer, DNS_DATAGRAM_SIZE);
    write_u32_be(writer, 0);
    write_u16_be(writer, 0);
}

static bool label_append(struct name *name, size_t *size, struct bytes label)
{
    if (*size + (*size > 0) + label.size > DNS_NAME_SIZE_MAX)
        return false;
    if (*size > 0)
        name->text[(*size)++] = '.';
    for (size_t i = 0; i < label.size; i++) {
        uint8_t byte = label.data[i];
        if (byte <= ' ' || byte == '.' || byte >= 0x7f)
            return false;
        name->text[(*size)++] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
    }
    return true;
}

/* RFC 1035 section 4.1.4; each pointer leads further back than the one before. */
static bool name_read(struct name *name, struct reader *reader, struct bytes message)
{
    struct reader at = *reader;
    size_t size = 0, before = reader_offset(reader);
    bool has_jumped = false;
    for (unsigned pointers = 0; pointers <= POINTER_COUNT_MAX;) {
        uint8_t head = read_u8(&at);
        if (at.failed)
            return false;
        if (head >= 0xc0) {
            size_t target = (size_t)(head & 0x3f) << 8 | read_u8(&at);
            if (!has_jumped)
                *reader = at;
            if (at.failed || target >= before || target < HEADER_SIZE)
                return false;
            has_jumped = true;
            before = target;
            at = reader_of(message);
            read_skip(&at, target);
            pointers++;
            continue;
        }
        if (head == 0) {
            name->text[size] = '\0';
            if (!has_jumped)
                *reader = at;
            return true;
        }
        struct bytes label = head <= 63 ? read_bytes(&at, head) : (struct bytes){ 0 };
        if (at.failed || head > 63 || !label_append(name, &size, label))
            return false;
    }
    return false;
}

struct record {
    struct name owner;
    uint16_t type, class;
    struct bytes data;
    size_t data_offset; /* in the message */
};

static bool record_read(struct record *record, struct reader *reader, struct bytes message)
{
    if (!name_read(&record->owner, reader, message))
        return false;
    record->type = read_u16_be(reader);
    record->class = read_u16_be(reader);
    read_skip(reader, 4); /* how long it may be kept: we don't */
    uint16_t size = read_u16_be(reader);
    record->data_offset = reader_offset(reader);
    record->data = read_bytes(reader, size);
    return !reader->failed;
}

/* The header's counts and the question; false: not an answer to ours. */
static bool head_read(struct reader *reader, uint16_t *flags, uint16_t *count,
                      const struct dns_question *question, struct bytes message)
{
    struct name asked;
    uint16_t id = read_u16_be(reader);
    *flags = read_u16_be(reader);
    uint16_t questions = read_u16_be(reader);
    *count = read_u16_be(reader);
    read_skip(reader, 4);
    if (reader->failed || id != question->id || questions != 1 ||
        (*flags & (FLAG_ANSWER | OPCODE_MASK)) != FLAG_ANSWER ||
        !name_read(&asked, reader, message))
        return false;
    uint16_t type = read_u16_be(reader), class = read_u16_be(reader);
    return !reader->failed && type == question->type && class == CLASS_IN &&
           strcmp(asked.text, question->name) == 0;
}

/* One walk over the records: takes addresses of `name`, or says where an alias leads. */
static bool records_walk(struct dns_answer *answer, struct name *name, bool *has_alias,
                         struct reader reader, uint16_t count, uint16_t type, struct bytes message)
{
    struct name alias;
    *has_alias = false;
    answer->count = 0;
    for (unsigned i = 0; i < count; i++) {
        struct record record;
        if (!record_read(&record, &reader, message))
            return false;
        if (record.class != CLASS_IN || strcmp(record.owner.text, name->text) != 0)
            continue;
        if (record.type == TYPE_CNAME && !*has_alias) {
            struct reader data =
                reader_of(bytes_part(message, 0, record.data_offset + record.data.size));
            read_skip(&data, record.data_offset);
            if (!name_read(&alias, &data, message) || !read_end(&data))
                return false;
            *has_alias = true;
        }
        if (record.type != type)
            continue;
        struct address address = { .is_v6 = type == DNS_TYPE_AAAA };
        if (record.data.size != (address.is_v6 ? 16u : 4u))
            return false;
        memcpy(address.bytes, record.data.data, record.data.size);
        if (answer->count < DNS_ADDRESS_COUNT_MAX)
            answer->addresses[answer->count++] = address;
    }
    if (*has_alias)
        *name = alias;
    return true;
}

enum dns_outcome dns_answer_read(struct dns_answer *answer, const struct dns_question *question,
                                 struct bytes message)
{
    struct reader reader = reader_of(message);
    struct dns_answer made = { .count = 0 };
    struct name name;
    uint16_t flags, count;
    bool has_alias = true;
    if (message.size > DNS_MESSAGE_SIZE_MAX ||
        !head_read(&reader, &flags, &count, question, message))
        return DNS_FOREIGN;
    if ((flags & FLAG_CUT) != 0)
        return DNS_CUT;
    if ((flags & RCODE_MASK) != 0)
        return (flags & RCODE_MASK) == RCODE_NO_NAME ? DNS_NO_NAME : DNS_FAILED;
    if (count > DNS_RECORD_COUNT_MAX)
        return DNS_FAILED;
    memcpy(name.text, question->name, sizeof(name.text));
    for (unsigned i = 0; has_alias && made.count == 0; i++)
        if (i > DNS_ALIAS_COUNT_MAX ||
            !records_walk(&made, &name, &has_alias, reader, count, question->type, message))
            return DNS_FAILED;
    *answer = made;
    return DNS_ANSWERED;
}
