/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever decodes can be written again and decodes to the same. */
#include "fuzz/fuzz.h"
#include "net/bhttp.h"

enum {
    SIZE_MAX_READ = 1 << 16
};

static void again(const struct bhttp_request *request)
{
    static uint8_t space[2 * SIZE_MAX_READ];
    AUTO_BUFFER struct buffer text;
    struct bhttp_request read;
    struct error error;
    buffer_init(&text, sizeof(space));
    if (!bhttp_request_encode(&text, request, &error))
        return; /* more fields than an answer's head may have */
    ASSERT(bhttp_request_decode(&read, buffer_view(&text), space, &error));
    ASSERT(read.method == request->method && bytes_equal(read.path, request->path) &&
           bytes_equal(read.body, request->body) && read.field_count == request->field_count);
}

void fuzz_one(struct bytes input)
{
    static uint8_t space[SIZE_MAX_READ];
    struct bhttp_request request;
    struct bhttp_response response;
    struct error error;
    if (input.size > sizeof(space))
        return;
    if (bhttp_request_decode(&request, input, space, &error))
        again(&request);
    if (bhttp_response_decode(&response, input, space, &error))
        ASSERT(response.status >= 200 && response.status <= 599);
}
