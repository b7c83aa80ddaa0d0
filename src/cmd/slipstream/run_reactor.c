/* SPDX-License-Identifier: Apache-2.0 */
#include "cmd/slipstream/run_reactor.h"

#include "abi/call.h"
#include "abi/envelope.h"
#include "base/file.h"

#include <string.h>
#include <unistd.h>

enum {
    ERRORS_SIZE = 64 << 10,
    HEAD_SIZE_MAX = 16 << 10,
    VARIABLES_MAX = 256
};

/* What a request has when nobody says otherwise. */
static const char *const request_defaults[] = { "REQUEST_METHOD=POST", "PATH_INFO=/",
                                                "QUERY_STRING=" };

static bool is_given(const char *const *environment, const char *variable)
{
    size_t size = (size_t)(strchr(variable, '=') - variable) + 1;
    while (*environment != NULL && strncmp(*environment, variable, size) != 0)
        environment++;
    return *environment != NULL;
}

bool run_reactor_read(struct buffer *body, struct error *error)
{
    buffer_init(body, RUN_REACTOR_BODY_MAX);
    return file_read_descriptor(body, STDIN_FILENO, error) || error_within(error, "standard input");
}

bool run_reactor_prepare(struct mailbox *mailbox, const char *const *environment, struct bytes body,
                         struct error *error)
{
    const char *all[VARIABLES_MAX + ARRAY_COUNT(request_defaults) + 1];
    size_t count = 0;
    for (; environment[count] != NULL; count++) {
        if (count == VARIABLES_MAX)
            return error_set(error, ERROR_LIMIT, "at most %d variables", VARIABLES_MAX);
        all[count] = environment[count];
    }
    for (size_t i = 0; i < ARRAY_COUNT(request_defaults); i++)
        if (!is_given(environment, request_defaults[i]))
            all[count++] = request_defaults[i];
    all[count] = NULL;
    struct envelope_request envelope = { .environment = all, .body = body };
    struct mailbox_request request = { .environment = all,
                                       .input_capacity = (uint32_t)envelope_request_size(&envelope),
                                       .errors_capacity = ERRORS_SIZE,
                                       .calls_capacity = CALL_AREA_SIZE };
    if (!mailbox_prepare(mailbox, RUN_REACTOR_MAILBOX_SIZE, &request, error))
        return false;
    struct writer writer =
        writer_into((uint8_t *)mailbox + mailbox->input.offset, mailbox->input.capacity);
    envelope_request_write(&writer, &envelope);
    mailbox->input.size = (uint32_t)writer_view(&writer).size;
    return true;
}

static bool write_head(const struct envelope_answer *answer, struct error *error)
{
    char head[HEAD_SIZE_MAX];
    struct writer writer = writer_into(head, sizeof(head));
    write_bytes(&writer, BYTES_LITERAL("Status: "));
    for (unsigned unit = 100; unit > 0; unit /= 10)
        write_u8(&writer, (uint8_t)('0' + answer->status / unit % 10));
    write_u8(&writer, '\n');
    for (size_t i = 0; i < answer->header_count; i++) {
        write_bytes(&writer, answer->headers[i].name);
        write_bytes(&writer, BYTES_LITERAL(": "));
        write_bytes(&writer, answer->headers[i].value);
        write_u8(&writer, '\n');
    }
    write_u8(&writer, '\n');
    return file_write_all(STDOUT_FILENO, writer_view(&writer), error);
}

bool run_reactor_answer(const struct mailbox *mailbox, bool includes_head, struct error *error)
{
    struct envelope_answer answer;
    struct bytes output;
    const char *reason = "";
    if (!mailbox_area_view(mailbox, RUN_REACTOR_MAILBOX_SIZE, &mailbox->output, &output))
        return error_set(error, ERROR_TRAPPED, "the function wrote over its mailbox");
    if (!envelope_answer_read(&answer, output, &reason))
        return error_set(error, ERROR_TRAPPED, "malformed answer: %s", reason);
    if ((includes_head && !write_head(&answer, error)) ||
        !file_write_all(STDOUT_FILENO, answer.body, error))
        return error_within(error, "standard output");
    return true;
}
