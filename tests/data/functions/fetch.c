/* SPDX-License-Identifier: Apache-2.0 */
/* A function that asks others.  The body says what: "METHOD URL", lines of header fields, an empty
 * line, the body of the request. */
#include "s3n.h"

static char buffer[1 << 20];
static char method[16], url[8192];

/* Everything up to `end`, which goes too. */
static struct s3n_text part_take(struct s3n_text *text, char end)
{
    struct s3n_text part = *text;
    for (size_t i = 0; i < text->size; i++)
        if (text->data[i] == end) {
            part.size = i;
            break;
        }
    size_t skipped = part.size + (part.size < text->size);
    text->data += skipped;
    text->size -= skipped;
    return part;
}

static void string_of(char *target, size_t size, struct s3n_text text)
{
    size_t i = 0;
    for (; i < text.size && i + 1 < size; i++)
        target[i] = text.data[i];
    target[i] = '\0';
}

/* Lines up to an empty one. */
static struct s3n_text headers_take(struct s3n_text *text)
{
    struct s3n_text headers = *text;
    for (size_t i = 0; i < text->size; i++) {
        if (text->data[i] != '\n' || (i > 0 && text->data[i - 1] != '\n'))
            continue;
        headers.size = i;
        text->data += i + 1;
        text->size -= i + 1;
        return headers;
    }
    text->data += text->size;
    text->size = 0;
    return headers;
}

static int64_t ask(struct s3n_text body)
{
    string_of(method, sizeof(method), part_take(&body, ' '));
    string_of(url, sizeof(url), part_take(&body, '\n'));
    struct s3n_text headers = headers_take(&body);
    return s3n_http_fetch(method, url, headers, body, buffer, sizeof(buffer));
}

/* The result, and what came with it or the error's text. */
static void show(struct s3n_response *response, int64_t result)
{
    s3n_print_number(response, result);
    s3n_print(response, " ");
    if (result < 0)
        result = s3n_error_message(buffer, sizeof(buffer));
    s3n_write(response, buffer, result > (int64_t)sizeof(buffer) ? sizeof(buffer) : (size_t)result);
}

/* Through the SDK's reader: status, a field, size of the body. */
static void show_read(struct s3n_response *response, int64_t result)
{
    struct s3n_http answer;
    if (result < 0 || !s3n_http_read(&answer, (struct s3n_text){ buffer, (size_t)result })) {
        show(response, result);
        return;
    }
    struct s3n_text type = s3n_http_header(&answer, "content-type");
    s3n_print_number(response, answer.status);
    s3n_print(response, " ");
    s3n_write(response, answer.url.data, answer.url.size);
    s3n_print(response, " ");
    s3n_write(response, type.data, type.size);
    s3n_print(response, " ");
    s3n_write(response, answer.body.data, answer.body.size);
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    if (s3n_text_is(request->path, "/read")) {
        show_read(response, ask(request->body));
    } else if (s3n_text_is(request->path, "/many")) {
        for (int i = 0; i < 18; i++) {
            s3n_print_number(response, ask(request->body) < 0 ? -1 : 0);
            s3n_print(response, ";");
        }
    } else if (s3n_text_is(request->path, "/size")) {
        s3n_print_number(response, ask(request->body)); /* more than the buffer holds */
    } else {
        show(response, ask(request->body));
    }
    return 0;
}
