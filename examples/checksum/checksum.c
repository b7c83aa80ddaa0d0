/* SPDX-License-Identifier: Apache-2.0 */
/* CRC-32 of a request's body.  The table is computed once, before the snapshot: every request finds
 * it ready. */
#include "s3n.h"

static uint32_t table[256];

void s3n_setup(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t value = i;
        for (int bit = 0; bit < 8; bit++)
            value = value & 1 ? 0xedb88320u ^ value >> 1 : value >> 1;
        table[i] = value;
    }
}

static uint32_t checksum(struct s3n_text text)
{
    uint32_t value = 0xffffffffu;
    for (size_t i = 0; i < text.size; i++)
        value = table[(value ^ (unsigned char)text.data[i]) & 0xff] ^ value >> 8;
    return ~value;
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    if (!s3n_text_is(request->method, "POST")) {
        s3n_status(response, 405);
        s3n_header_set(response, "allow", "POST");
        return 0;
    }
    s3n_header_set(response, "content-type", "application/json");
    s3n_print(response, "{\"crc32\":");
    s3n_print_number(response, checksum(request->body));
    s3n_print(response, ",\"size\":");
    s3n_print_number(response, (int64_t)request->body.size);
    s3n_print(response, "}\n");
    return 0;
}
