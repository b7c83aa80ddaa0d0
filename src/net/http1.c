/* SPDX-License-Identifier: Apache-2.0 */
#include "net/http1.h"

#include "core/hex.h"

#include <stdio.h>

static enum http1_step scan_refuse(struct http1_scan *scan, int status)
{
    scan->status = status;
    return HTTP1_BAD;
}

/* One line has ended.  An empty first line is forgiven once (RFC 9112 2.2). */
static enum http1_step scan_line_end(struct http1_scan *scan)
{
    bool empty = scan->line_size == 0;
    bool first = scan->line_count == 0;
    scan->line_size = 0;
    scan->after_return = false;
    if (empty && first)
        return scan->size == 2 ? HTTP1_MORE : scan_refuse(scan, 400);
    scan->line_count++;
    if (scan->line_count > HTTP_FIELD_COUNT_MAX + 1 && !empty)
        return scan_refuse(scan, 431);
    return empty ? HTTP1_DONE : HTTP1_MORE;
}

static enum http1_step scan_byte(struct http1_scan *scan, uint8_t byte)
{
    scan->size++;
    if (scan->size > HTTP_HEAD_SIZE_MAX)
        return scan_refuse(scan, scan->line_count == 0 ? 414 : 431);
    if (byte == '\n')
        return scan->after_return ? scan_line_end(scan) : scan_refuse(scan, 400);
    if (scan->after_return)
        return scan_refuse(scan, 400);
    if (byte == '\r') {
        scan->after_return = true;
        return HTTP1_MORE;
    }
    bool request_line = scan->line_count == 0;
    bool blank = byte == ' ' || byte == '\t';
    if ((byte < ' ' && byte != '\t') || byte == 0x7f || (request_line && byte == '\t') ||
        (request_line && byte > 0x7f) || (blank && scan->line_size == 0))
        return scan_refuse(scan, 400);
    scan->line_size++;
    if (request_line && scan->line_size > HTTP_TARGET_SIZE_MAX + 32)
        return scan_refuse(scan, 414);
    return HTTP1_MORE;
}

enum http1_step http1_scan(struct http1_scan *scan, struct bytes bytes, size_t *used)
{
    enum http1_step step = HTTP1_MORE;
    size_t i = 0;
    while (i < bytes.size && step == HTTP1_MORE)
        step = scan_byte(scan, bytes.data[i++]);
    *used = i;
    return step;
}

/* Takes the line at the front, without its CRLF, which the scan has proved to be there. */
static struct bytes take_line(struct bytes *rest)
{
    struct bytes line = bytes_part(*rest, 0, bytes_find(*rest, '\r'));
    *rest = bytes_part(*rest, line.size + 2, rest->size);
    return line;
}

static int parse_request_line(struct http_request *request, struct bytes line)
{
    struct bytes method = bytes_part(line, 0, bytes_find(line, ' '));
    line = bytes_part(line, method.size + 1, line.size);
    request->target = bytes_part(line, 0, bytes_find(line, ' '));
    struct bytes version = bytes_part(line, request->target.size + 1, line.size);
    if (!http_is_token(method))
        return 400;
    if (version.size != 8 || !bytes_starts_with(version, BYTES_LITERAL("HTTP/")))
        return 400;
    if (!bytes_equal_string(version, "HTTP/1.1"))
        return 505;
    if (!http_method_parse(&request->method, method))
        return 501;
    if (request->target.size > HTTP_TARGET_SIZE_MAX)
        return 414;
    if (!http_is_target(request->target))
        return 400;
    http_request_split_target(request);
    return 0;
}

static int parse_field(struct http_field *field, uint8_t *line, size_t size)
{
    size_t colon = bytes_find(bytes_of(line, size), ':');
    if (colon == size || !http_is_token(bytes_of(line, colon)))
        return 400;
    for (size_t i = 0; i < colon; i++) {
        if (line[i] >= 'A' && line[i] <= 'Z')
            line[i] = (uint8_t)(line[i] + 32);
    }
    field->name = bytes_of(line, colon);
    field->value = bytes_trim(bytes_of(line + colon + 1, size - colon - 1));
    return 0;
}

/* Is `token` an element of the comma-separated list? */
static bool list_has(struct bytes list, struct bytes token)
{
    while (list.size > 0) {
        struct bytes element = bytes_part(list, 0, bytes_find(list, ','));
        if (http_equal_fold(bytes_trim(element), token))
            return true;
        list = bytes_part(list, element.size + 1, list.size);
    }
    return false;
}

/* Fields that say where the message ends: each at most once. */
struct framing {
    unsigned host_count;
    unsigned size_count;
    unsigned coding_count;
};

static int note_field(struct http1_head *head, struct framing *framing,
                      const struct http_field *field)
{
    struct http_request *request = &head->request;
    if (bytes_equal_string(field->name, "host")) {
        framing->host_count++;
        request->authority = field->value;
        return http_is_authority(field->value) ? 0 : 400;
    }
    if (bytes_equal_string(field->name, "content-length")) {
        framing->size_count++;
        request->has_content_size = true;
        return http_decimal_parse(&request->content_size, field->value) ? 0 : 400;
    }
    if (bytes_equal_string(field->name, "transfer-encoding")) {
        framing->coding_count++;
        head->is_chunked = http_equal_fold(field->value, BYTES_LITERAL("chunked"));
        return head->is_chunked ? 0 : 501;
    }
    if (bytes_equal_string(field->name, "connection")) {
        head->close = head->close || list_has(field->value, BYTES_LITERAL("close"));
    } else if (bytes_equal_string(field->name, "expect")) {
        head->expect_continue = http_equal_fold(field->value, BYTES_LITERAL("100-continue"));
        return head->expect_continue ? 0 : 417;
    }
    return 0;
}

int http1_head_parse(struct http1_head *head, uint8_t *data, size_t size)
{
    struct http_request *request = &head->request;
    struct framing framing = { 0 };
    struct bytes rest = bytes_of(data, size);
    *request = (struct http_request){ .fields = head->fields };
    head->is_chunked = head->close = head->expect_continue = false;

    struct bytes line = take_line(&rest);
    if (line.size == 0)
        line = take_line(&rest);
    int status = parse_request_line(request, line);
    for (line = take_line(&rest); line.size > 0 && status == 0; line = take_line(&rest)) {
        if (request->field_count == HTTP_FIELD_COUNT_MAX)
            return 431;
        struct http_field *field = &head->fields[request->field_count++];
        status = parse_field(field, data + (line.data - data), line.size);
        if (status == 0)
            status = note_field(head, &framing, field);
    }
    if (status != 0)
        return status;
    if (framing.host_count != 1 || framing.size_count > 1 || framing.coding_count > 1 ||
        framing.size_count + framing.coding_count > 1)
        return 400;
    request->has_body = head->is_chunked || request->content_size > 0;
    return 0;
}

enum chunked_state {
    CHUNKED_SIZE,
    CHUNKED_SIZE_END,
    CHUNKED_DATA,
    CHUNKED_DATA_RETURN,
    CHUNKED_DATA_END,
    CHUNKED_LAST_RETURN,
    CHUNKED_LAST_END,
    CHUNKED_OVER
};

static enum http1_step chunked_size_byte(struct http1_chunked *chunked, uint8_t byte)
{
    int value = hex_digit_value(byte);
    if (value >= 0 && chunked->digits < HTTP_CHUNK_DIGITS_MAX) {
        chunked->left = chunked->left * 16 + (unsigned)value;
        chunked->digits++;
        return HTTP1_MORE;
    }
    if (byte != '\r' || chunked->digits == 0)
        return HTTP1_BAD;
    chunked->state = CHUNKED_SIZE_END;
    return HTTP1_MORE;
}

/* Any byte but those of the data themselves. */
static enum http1_step chunked_byte(struct http1_chunked *chunked, uint8_t byte)
{
    switch ((enum chunked_state)chunked->state) {
    case CHUNKED_SIZE:
        return chunked_size_byte(chunked, byte);
    case CHUNKED_SIZE_END:
        chunked->state = chunked->left > 0 ? CHUNKED_DATA : CHUNKED_LAST_RETURN;
        return byte == '\n' ? HTTP1_MORE : HTTP1_BAD;
    case CHUNKED_DATA_RETURN:
        chunked->state = CHUNKED_DATA_END;
        return byte == '\r' ? HTTP1_MORE : HTTP1_BAD;
    case CHUNKED_DATA_END:
        chunked->state = CHUNKED_SIZE;
        chunked->digits = 0;
        return byte == '\n' ? HTTP1_MORE : HTTP1_BAD;
    case CHUNKED_LAST_RETURN:
        chunked->state = CHUNKED_LAST_END;
        return byte == '\r' ? HTTP1_MORE : HTTP1_BAD;
    case CHUNKED_LAST_END:
        chunked->state = CHUNKED_OVER;
        return byte == '\n' ? HTTP1_DONE : HTTP1_BAD;
    case CHUNKED_DATA:
    case CHUNKED_OVER:
        break;
    }
    return HTTP1_BAD;
}

enum http1_step http1_chunked_read(struct http1_chunked *chunked, struct bytes bytes, size_t *used,
                                   struct bytes *data)
{
    enum http1_step step = HTTP1_MORE;
    size_t i = 0;
    *data = (struct bytes){ 0 };
    while (i < bytes.size && step == HTTP1_MORE && chunked->state != CHUNKED_DATA)
        step = chunked_byte(chunked, bytes.data[i++]);
    if (step == HTTP1_MORE && chunked->state == CHUNKED_DATA && i < bytes.size) {
        *data = bytes_part(bytes, i, (size_t)MIN(chunked->left, (uint64_t)(bytes.size - i)));
        chunked->left -= data->size;
        i += data->size;
        if (chunked->left == 0)
            chunked->state = CHUNKED_DATA_RETURN;
        step = HTTP1_DATA;
    }
    *used = i;
    return step;
}

static void write_text(struct writer *writer, const char *text)
{
    write_bytes(writer, bytes_of_string(text));
}

bool http1_answer_write(struct writer *writer, const struct http_answer *answer, bool close)
{
    if (!http_answer_is_fit(answer))
        return false;
    char line[64];
    snprintf(line, sizeof(line), "HTTP/1.1 %d %s\r\n", answer->status, http_reason(answer->status));
    write_text(writer, line);
    if (answer->status != 204 && answer->status != 304) {
        snprintf(line, sizeof(line), "content-length: %zu\r\n", answer->body.size);
        write_text(writer, line);
    }
    if (close)
        write_text(writer, "connection: close\r\n");
    for (size_t i = 0; i < answer->field_count; i++) {
        write_bytes(writer, answer->fields[i].name);
        write_text(writer, ": ");
        write_bytes(writer, answer->fields[i].value);
        write_text(writer, "\r\n");
    }
    write_text(writer, "\r\n");
    return !writer->failed;
}
