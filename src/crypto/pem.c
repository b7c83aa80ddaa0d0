/* SPDX-License-Identifier: Apache-2.0 */
#include "crypto/pem.h"

#include "crypto/base64.h"
#include "crypto/der.h"

#include <string.h>

enum {
    LINE_TEXT_SIZE = 64,
    LINE_TEXT_SIZE_MAX = 76, /* MIME's, which some write */
    LINE_SIZE = 48
};

size_t pem_text_size(const char *label, size_t size)
{
    size_t lines = (size + LINE_SIZE - 1) / LINE_SIZE;
    return 2 * strlen(label) + strlen("-----BEGIN -----\n-----END -----\n") +
           base64_text_size(size) + lines;
}

static void write_boundary(struct writer *text, const char *kind, const char *label)
{
    write_bytes(text, BYTES_LITERAL("-----"));
    write_bytes(text, bytes_of_string(kind));
    write_bytes(text, bytes_of_string(label));
    write_bytes(text, BYTES_LITERAL("-----\n"));
}

void pem_write(struct writer *text, const char *label, struct bytes content)
{
    write_boundary(text, "BEGIN ", label);
    for (size_t at = 0; at < content.size; at += LINE_SIZE) {
        char line[LINE_TEXT_SIZE + 1];
        base64_encode(line, bytes_part(content, at, LINE_SIZE));
        write_bytes(text, bytes_of_string(line));
        write_u8(text, '\n');
    }
    write_boundary(text, "END ", label);
}

void pem_append(struct buffer *text, const char *label, struct bytes content)
{
    size_t size = pem_text_size(label, content.size);
    uint8_t *room = buffer_reserve(text, size);
    if (room == NULL)
        return;
    struct writer writer = writer_into(room, size);
    pem_write(&writer, label, content);
    ASSERT(writer_view(&writer).size == size);
    text->size += size;
}

/* The next line without its end (LF or CRLF; the last line may lack one). */
static struct bytes read_line(struct reader *text)
{
    struct bytes rest = bytes_of(text->at, reader_left(text));
    size_t size = bytes_find(rest, '\n');
    struct bytes line = read_bytes(text, size);
    if (size < rest.size) {
        read_skip(text, 1);
        if (line.size > 0 && line.data[line.size - 1] == '\r')
            line.size--;
    }
    return line;
}

static bool is_boundary(struct bytes line, const char *kind, const char *label)
{
    size_t kind_size = strlen(kind);
    size_t label_size = strlen(label);
    return line.size == kind_size + label_size + 5 &&
           bytes_equal_string(bytes_part(line, 0, kind_size), kind) &&
           bytes_equal_string(bytes_part(line, kind_size, label_size), label) &&
           bytes_equal_string(bytes_part(line, kind_size + label_size, 5), "-----");
}

static void skip_blank_lines(struct reader *text)
{
    while (bytes_starts_with(bytes_of(text->at, reader_left(text)), BYTES_LITERAL("\n")) ||
           bytes_starts_with(bytes_of(text->at, reader_left(text)), BYTES_LITERAL("\r\n")))
        read_line(text);
}

/* The end of a block.  In quotes of some platforms the next block begins on the same line. */
static bool read_end_boundary(struct reader *text, const char *label)
{
    struct reader ahead = *text;
    struct bytes line = read_line(&ahead);
    size_t size = strlen("-----END -----") + strlen(label);
    bool is_glued =
        bytes_starts_with(bytes_part(line, size, line.size), BYTES_LITERAL("-----BEGIN "));
    if (!is_boundary(is_glued ? bytes_part(line, 0, size) : line, "-----END ", label))
        return false;
    if (is_glued)
        read_skip(text, size);
    else
        *text = ahead;
    return true;
}

bool pem_read(struct reader *text, const char *label, void *target, size_t capacity, size_t *size,
              struct error *error)
{
    skip_blank_lines(text);
    if (!is_boundary(read_line(text), "-----BEGIN ", label))
        return error_set(error, ERROR_INVALID, "PEM text does not begin with a %s block", label);
    size_t used = 0;
    size_t line_size = LINE_TEXT_SIZE_MAX; /* the first line's; a shorter one is the last */
    bool is_last = false;
    while (!read_end_boundary(text, label)) {
        struct bytes line = read_line(text);
        size_t part = 0;
        if (is_last || line.size == 0 || line.size > line_size ||
            !base64_decode((uint8_t *)target + used, capacity - used, &part, line))
            return error_set(error, ERROR_INVALID, "PEM block %s is malformed or too long", label);
        is_last = line.size < (used == 0 ? LINE_TEXT_SIZE : line_size);
        line_size = line.size;
        used += part;
    }
    if (used == 0)
        return error_set(error, ERROR_INVALID, "PEM block %s is empty", label);
    *size = used;
    return true;
}

bool pem_is_end(const struct reader *text)
{
    struct reader rest = *text;
    skip_blank_lines(&rest);
    bool is_behind_line = rest.at > rest.start && rest.at[-1] == '\n';
    struct bytes tail = bytes_of(rest.at, reader_left(&rest));
    for (size_t i = 0; i < tail.size; i++)
        if (tail.data[i] != 0 || !is_behind_line)
            return false;
    return !text->failed;
}

bool pem_unwrap(struct bytes *content, struct buffer *space, const char *label, struct bytes text,
                struct error *error)
{
    if (text.size > 0 && text.data[0] == DER_SEQUENCE) {
        *content = text;
        return true;
    }
    buffer_clear(space);
    /* Four characters are three bytes at most. */
    size_t capacity = text.size / 4 * 3 + 3;
    uint8_t *target = buffer_reserve(space, capacity);
    struct reader reader = reader_of(text);
    size_t size;
    if (target == NULL)
        return error_set(error, ERROR_LIMIT, "PEM text is above %zu bytes", space->size_max);
    if (!pem_read(&reader, label, target, capacity, &size, error))
        return false;
    if (!pem_is_end(&reader))
        return error_set(error, ERROR_INVALID, "PEM text goes on behind its %s", label);
    space->size = size;
    *content = buffer_view(space);
    return true;
}
