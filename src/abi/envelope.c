/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/envelope.h"

#include "core/checked.h"
#include "core/reader.h"

enum {
    STATUS_MIN = 200,
    STATUS_MAX = 599
};

/* --- requests --- */

static struct bytes name_of(const char *variable)
{
    struct bytes all = bytes_of_string(variable);
    return bytes_part(all, 0, bytes_find(all, '='));
}

static struct bytes value_of(const char *variable)
{
    struct bytes all = bytes_of_string(variable);
    return bytes_part(all, bytes_find(all, '=') + 1, all.size);
}

/* The variable's value, or nothing. */
static struct bytes variable(const struct envelope_request *request, const char *name)
{
    for (const char *const *at = request->environment; *at != NULL; at++)
        if (bytes_equal_string(name_of(*at), name))
            return value_of(*at);
    return (struct bytes){ 0 };
}

enum variable_kind {
    VARIABLE_TEXT, /* has a place of its own */
    VARIABLE_HEADER,
    VARIABLE_FACT
};

static enum variable_kind kind_of(struct bytes name)
{
    static const char *const texts[] = { "REQUEST_METHOD", "PATH_INFO", "QUERY_STRING",
                                         "CONTENT_LENGTH" };
    for (size_t i = 0; i < ARRAY_COUNT(texts); i++)
        if (bytes_equal_string(name, texts[i]))
            return VARIABLE_TEXT;
    if (bytes_starts_with(name, BYTES_LITERAL("HTTP_")) || bytes_equal_string(name, "CONTENT_TYPE"))
        return VARIABLE_HEADER;
    return VARIABLE_FACT;
}

static struct bytes header_name(struct bytes name)
{
    return bytes_starts_with(name, BYTES_LITERAL("HTTP_")) ? bytes_part(name, 5, name.size) : name;
}

static void write_pair(struct writer *writer, struct bytes name, struct bytes value, bool is_header)
{
    write_u32_le(writer, (uint32_t)name.size);
    write_u32_le(writer, (uint32_t)value.size);
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (is_header && byte >= 'A' && byte <= 'Z')
            byte = (uint8_t)(byte + 32);
        else if (is_header && byte == '_')
            byte = '-';
        write_u8(writer, byte);
    }
    write_bytes(writer, value);
}

static uint32_t write_pairs(struct writer *writer, const struct envelope_request *request,
                            enum variable_kind kind)
{
    uint32_t count = 0;
    for (const char *const *at = request->environment; *at != NULL; at++) {
        struct bytes name = name_of(*at);
        if (kind_of(name) != kind)
            continue;
        bool is_header = kind == VARIABLE_HEADER;
        write_pair(writer, is_header ? header_name(name) : name, value_of(*at), is_header);
        count++;
    }
    return count;
}

/* Everything between the head and the body, padded. */
static uint64_t text_size(const struct envelope_request *request)
{
    uint64_t size = 0;
    for (const char *const *at = request->environment; *at != NULL; at++) {
        struct bytes name = name_of(*at), value = value_of(*at);
        switch (kind_of(name)) {
        case VARIABLE_TEXT:
            break;
        case VARIABLE_HEADER:
            size += sizeof(struct envelope_pair_head) + header_name(name).size + value.size;
            break;
        case VARIABLE_FACT:
            size += sizeof(struct envelope_pair_head) + name.size + value.size;
            break;
        }
    }
    size += variable(request, "REQUEST_METHOD").size + variable(request, "PATH_INFO").size +
            variable(request, "QUERY_STRING").size;
    return round_up(size, ENVELOPE_ALIGNMENT);
}

uint64_t envelope_request_size(const struct envelope_request *request)
{
    uint64_t size = sizeof(struct envelope_request_head) + text_size(request) + request->body.size;
    return size > UINT32_MAX ? UINT64_MAX : size;
}

static uint32_t count_pairs(const struct envelope_request *request, enum variable_kind kind)
{
    struct writer nowhere = writer_into(NULL, 0);
    return write_pairs(&nowhere, request, kind);
}

void envelope_request_write(struct writer *writer, const struct envelope_request *request)
{
    struct bytes method = variable(request, "REQUEST_METHOD");
    struct bytes path = variable(request, "PATH_INFO");
    struct bytes query = variable(request, "QUERY_STRING");
    size_t start = writer->size;
    uint64_t body_offset = sizeof(struct envelope_request_head) + text_size(request);
    write_u32_le(writer, ENVELOPE_REQUEST_MAGIC);
    write_u16_le(writer, ENVELOPE_VERSION);
    write_u16_le(writer, (uint16_t)request->trigger);
    write_u32_le(writer, (uint32_t)(body_offset + request->body.size));
    write_u32_le(writer, (uint32_t)body_offset);
    write_u32_le(writer, (uint32_t)request->body.size);
    write_u32_le(writer, (uint32_t)method.size);
    write_u32_le(writer, (uint32_t)path.size);
    write_u32_le(writer, (uint32_t)query.size);
    write_u32_le(writer, count_pairs(request, VARIABLE_HEADER));
    write_u32_le(writer, count_pairs(request, VARIABLE_FACT));
    write_bytes(writer, BYTES_OF(request->id));
    write_u64_le(writer, 0);
    write_bytes(writer, method);
    write_bytes(writer, path);
    write_bytes(writer, query);
    (void)write_pairs(writer, request, VARIABLE_HEADER);
    (void)write_pairs(writer, request, VARIABLE_FACT);
    if (!writer->failed)
        write_zeros(writer, start + body_offset - writer->size);
    write_bytes(writer, request->body);
}

/* --- answers: what is said in headers --- */

static bool is_one_of(uint8_t byte, const char *set)
{
    while (*set != '\0' && (uint8_t)*set != byte)
        set++;
    return *set != '\0';
}

static bool is_name(struct bytes name)
{
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        if (!(byte >= 'a' && byte <= 'z') && !(byte >= '0' && byte <= '9') &&
            !is_one_of(byte, "!#$%&'*+-.^_`|~"))
            return false;
    }
    return name.size > 0;
}

static bool is_value(struct bytes value)
{
    for (size_t i = 0; i < value.size; i++)
        if ((value.data[i] < ' ' && value.data[i] != '\t') || value.data[i] == 0x7f)
            return false;
    return value.size == 0 ||
           (!is_one_of(value.data[0], " \t") && !is_one_of(value.data[value.size - 1], " \t"));
}

static bool is_in(struct bytes name, const char *const *names)
{
    while (*names != NULL && !bytes_equal_string(name, *names))
        names++;
    return *names != NULL;
}

static bool is_number(struct bytes text, uint64_t expected)
{
    uint64_t number = 0;
    for (size_t i = 0; i < text.size; i++) {
        if (text.data[i] < '0' || text.data[i] > '9' || i > 18)
            return false;
        number = number * 10 + (uint64_t)(text.data[i] - '0');
    }
    return text.size > 0 && number == expected;
}

/* Adds a header, or drops it; NULL, or what is wrong. */
static const char *add_header(struct envelope_answer *answer, struct bytes name, struct bytes value,
                              uint64_t body_size)
{
    static const char *const framing[] = { "transfer-encoding", "connection", "keep-alive",
                                           "upgrade",           "trailer",    "te",
                                           "proxy-connection",  NULL };
    static const char *const ours[] = { "date", "server", NULL };
    if (!is_name(name))
        return "a header's name is not a token in lower case";
    if (!is_value(value))
        return "a header's value holds control characters or blanks at an end";
    if (is_in(name, framing) || bytes_starts_with(name, BYTES_LITERAL("s3n-")))
        return "a header that is the node's to set";
    if (bytes_equal_string(name, "content-length"))
        return is_number(value, body_size) ? NULL : "Content-Length is not the body's size";
    if (is_in(name, ours))
        return NULL;
    if (answer->header_count == ENVELOPE_HEADERS_MAX)
        return "too many headers";
    answer->headers[answer->header_count++] = (struct envelope_pair){ name, value };
    return NULL;
}

/* --- answers of reactors --- */

static const char *read_headers(struct envelope_answer *answer, struct reader *reader,
                                uint32_t count, uint64_t body_size)
{
    size_t start = reader_offset(reader);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t name_size = read_u32_le(reader);
        uint32_t value_size = read_u32_le(reader);
        struct bytes name = read_bytes(reader, name_size);
        struct bytes value = read_bytes(reader, value_size);
        if (reader->failed || reader_offset(reader) - start > ENVELOPE_HEAD_SIZE_MAX)
            return reader->failed ? "headers reach beyond the answer" : "headers are too large";
        const char *wrong = add_header(answer, name, value, body_size);
        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

static const char *read_answer(struct envelope_answer *answer, struct bytes source)
{
    struct reader reader = reader_of(source);
    uint32_t magic = read_u32_le(&reader);
    uint16_t version = read_u16_le(&reader);
    answer->status = read_u16_le(&reader);
    uint32_t size = read_u32_le(&reader);
    uint32_t body_offset = read_u32_le(&reader);
    uint32_t body_size = read_u32_le(&reader);
    uint32_t header_count = read_u32_le(&reader);
    uint64_t reserved = read_u64_le(&reader);
    if (reader.failed)
        return "it is shorter than an answer's head";
    if (magic != ENVELOPE_ANSWER_MAGIC || version != ENVELOPE_VERSION || reserved != 0)
        return "it does not begin as an answer of version 1";
    if (size != source.size)
        return "its size is not what it says";
    if (answer->status < STATUS_MIN || answer->status > STATUS_MAX)
        return "its status is not between 200 and 599";
    const char *wrong = read_headers(answer, &reader, header_count, body_size);
    if (wrong != NULL)
        return wrong;
    if (body_offset != round_up(reader_offset(&reader), ENVELOPE_ALIGNMENT) ||
        body_offset > source.size || body_size != source.size - body_offset)
        return "its body is not right behind its headers";
    struct bytes padding = read_bytes(&reader, body_offset - reader_offset(&reader));
    for (size_t i = 0; i < padding.size; i++)
        if (padding.data[i] != 0)
            return "bytes between headers and body";
    answer->body = bytes_part(source, body_offset, body_size);
    return NULL;
}

bool envelope_answer_read(struct envelope_answer *answer, struct bytes source, const char **reason)
{
    answer->header_count = 0;
    answer->body = (struct bytes){ 0 };
    *reason = read_answer(answer, source);
    return *reason == NULL;
}

/* --- answers of CGI programs --- */

static bool take_line(struct bytes *rest, struct bytes *line)
{
    size_t size = bytes_find(*rest, '\n');
    if (size == rest->size)
        return false;
    *line = bytes_part(*rest, 0, size);
    *rest = bytes_part(*rest, size + 1, rest->size);
    if (line->size > 0 && line->data[line->size - 1] == '\r')
        line->size--;
    return true;
}

/* What of an answer only one line may say. */
struct cgi_seen {
    bool type, location, status;
    size_t names_size;
};

static const char *read_status(struct envelope_answer *answer, struct cgi_seen *seen,
                               struct bytes value)
{
    struct bytes digits = bytes_part(value, 0, bytes_find(value, ' '));
    unsigned status = 0;
    for (size_t i = 0; i < digits.size && i < 4; i++)
        status = status * 10 + (unsigned)(digits.data[i] - '0');
    if (digits.size != 3 || !is_number(digits, status) || status < STATUS_MIN ||
        status > STATUS_MAX)
        return "its Status is not between 200 and 599";
    if (seen->status)
        return "it has Status twice";
    seen->status = true;
    answer->status = status;
    return NULL;
}

static const char *read_line(struct envelope_answer *answer, struct cgi_seen *seen,
                             struct bytes line, uint64_t body_size)
{
    size_t colon = bytes_find(line, ':');
    struct bytes name = bytes_part(line, 0, colon);
    struct bytes value = bytes_trim(bytes_part(line, colon + 1, line.size));
    if (colon == line.size)
        return "a header line without a colon";
    if (name.size > sizeof(answer->names) - seen->names_size)
        return "headers are too large";
    char *lower = answer->names + seen->names_size;
    seen->names_size += name.size;
    for (size_t i = 0; i < name.size; i++) {
        uint8_t byte = name.data[i];
        lower[i] = (char)(byte >= 'A' && byte <= 'Z' ? byte + 32 : byte);
    }
    name = bytes_of(lower, name.size);
    if (bytes_equal_string(name, "status"))
        return read_status(answer, seen, value);
    bool *once = bytes_equal_string(name, "content-type") ? &seen->type
                 : bytes_equal_string(name, "location")   ? &seen->location
                                                          : NULL;
    if (once != NULL && *once)
        return "it has Content-Type or Location twice";
    if (once != NULL)
        *once = true;
    return add_header(answer, name, value, body_size);
}

/* The head's end is looked for first: Content-Length is compared with what follows. */
static bool find_body(struct bytes source, struct bytes *body)
{
    struct bytes rest = source, line;
    while (source.size - rest.size <= ENVELOPE_HEAD_SIZE_MAX && take_line(&rest, &line)) {
        if (line.size == 0) {
            *body = rest;
            return true;
        }
    }
    return false;
}

static const char *read_cgi(struct envelope_answer *answer, struct bytes source)
{
    struct cgi_seen seen = { 0 };
    struct bytes rest = source, line;
    if (!find_body(source, &answer->body))
        return "its header lines do not end with an empty line";
    while (take_line(&rest, &line) && line.size > 0) {
        const char *wrong = read_line(answer, &seen, line, answer->body.size);
        if (wrong != NULL)
            return wrong;
    }
    if (!seen.type && !seen.location && !seen.status)
        return "it has neither Content-Type nor Location nor Status";
    if (answer->body.size > 0 && !seen.type)
        return "it has a body but no Content-Type";
    if (seen.location && !seen.status)
        answer->status = 302;
    return NULL;
}

bool envelope_cgi_read(struct envelope_answer *answer, struct bytes source, const char **reason)
{
    answer->status = 200;
    answer->header_count = 0;
    answer->body = (struct bytes){ 0 };
    *reason = read_cgi(answer, source);
    return *reason == NULL;
}
