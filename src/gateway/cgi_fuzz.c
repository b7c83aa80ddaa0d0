/* SPDX-License-Identifier: Apache-2.0 */
/* Whatever a function writes, the answer made of it can be sent. */
#include "fuzz/fuzz.h"
#include "gateway/cgi.h"

void fuzz_one(struct bytes input)
{
    static struct cgi_answer cgi;
    cgi_answer_read(&cgi, input);
    struct http_answer answer = {
        .status = cgi.status, .fields = cgi.fields, .field_count = cgi.field_count, .body = cgi.body
    };
    ASSERT(http_answer_is_fit(&answer));
    ASSERT(cgi.body.size <= input.size);
}
