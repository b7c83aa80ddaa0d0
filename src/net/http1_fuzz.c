/* SPDX-License-Identifier: Apache-2.0 */
/* A head in one piece and byte by byte must be judged the same, and what is accepted must hold its
 * promises. */
#include "fuzz/fuzz.h"
#include "net/http1.h"

#include <stdlib.h>
#include <string.h>

static void check_request(const struct http_request *request)
{
    ASSERT(http_is_target(request->target));
    ASSERT(http_is_authority(request->authority));
    for (size_t i = 0; i < request->field_count; i++) {
        ASSERT(http_is_token(request->fields[i].name));
        ASSERT(http_is_field_value(request->fields[i].value));
    }
}

void fuzz_one(struct bytes input)
{
    struct http1_scan whole = { 0 }, pieces = { 0 };
    size_t used, piece_used = 0, total = 0;
    enum http1_step step = http1_scan(&whole, input, &used);
    enum http1_step piece_step = HTTP1_MORE;
    while (piece_step == HTTP1_MORE && total < input.size) {
        piece_step = http1_scan(&pieces, bytes_part(input, total, 1), &piece_used);
        total += piece_used;
    }
    ASSERT(step == piece_step && used == total && whole.status == pieces.status);
    if (step != HTTP1_DONE)
        return;
    ASSERT(used == whole.size && used <= HTTP_HEAD_SIZE_MAX);
    uint8_t *copy = malloc(used);
    struct http1_head *head = malloc(sizeof(*head));
    ASSERT(copy != NULL && head != NULL);
    memcpy(copy, input.data, used);
    if (http1_head_parse(head, copy, used) == 0)
        check_request(&head->request);
    free(head);
    free(copy);
}
