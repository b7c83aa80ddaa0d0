/* SPDX-License-Identifier: Apache-2.0 */
/* What the server and its process tell each other, and header fields as functions write them: what
 * is read is written again to the same. */
#include "fuzz/fuzz.h"
#include "outbound/head.h"
#include "outbound/message.h"

static void check_request(struct bytes input)
{
    struct outbound_request request;
    struct error error;
    AUTO_BUFFER struct buffer text;
    if (!outbound_request_read(&request, input, &error))
        return;
    buffer_init(&text, input.size);
    outbound_request_write(&text, &request);
    ASSERT(bytes_equal(buffer_view(&text), input));
}

static void check_answer(struct bytes input)
{
    struct outbound_answer answer;
    struct error error;
    AUTO_BUFFER struct buffer text;
    if (!outbound_answer_read(&answer, input, &error))
        return;
    buffer_init(&text, input.size);
    outbound_answer_write(&text, &answer);
    ASSERT(bytes_equal(buffer_view(&text), input));
}

void fuzz_one(struct bytes input)
{
    static struct head head;
    struct error error;
    check_request(input);
    check_answer(input);
    if (!head_parse(&head, input, &error))
        return;
    for (size_t i = 0; i < head.count; i++)
        ASSERT(http_is_token(head.fields[i].name) && http_is_field_value(head.fields[i].value) &&
               !head_name_is_forbidden(head.fields[i].name));
}
