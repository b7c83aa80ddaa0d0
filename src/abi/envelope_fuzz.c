/* SPDX-License-Identifier: Apache-2.0 */
#include "abi/envelope.h"
#include "fuzz/fuzz.h"

/* What was accepted can be sent: no byte that would end a line, nothing outside the source. */
static void check(const struct envelope_answer *answer, struct bytes input)
{
    ASSERT(answer->status >= 200 && answer->status <= 599);
    ASSERT(answer->header_count <= ENVELOPE_HEADERS_MAX);
    ASSERT(answer->body.size <= input.size);
    ASSERT(answer->body.size == 0 ||
           answer->body.data + answer->body.size == input.data + input.size);
    for (size_t i = 0; i < answer->header_count; i++) {
        struct envelope_pair pair = answer->headers[i];
        ASSERT(pair.name.size > 0);
        for (size_t j = 0; j < pair.name.size; j++)
            ASSERT(pair.name.data[j] > ' ' && pair.name.data[j] < 0x7f && pair.name.data[j] != ':');
        for (size_t j = 0; j < pair.value.size; j++)
            ASSERT(pair.value.data[j] >= ' ' || pair.value.data[j] == '\t');
    }
}

void fuzz_one(struct bytes input)
{
    static struct envelope_answer answer;
    const char *reason;
    if (envelope_answer_read(&answer, input, &reason))
        check(&answer, input);
    if (envelope_cgi_read(&answer, input, &reason))
        check(&answer, input);
}
