/* SPDX-License-Identifier: Apache-2.0 */
/* A function that calls its node through the C SDK: the path says what, the body is the argument.
 */
#include "s3n.h"

static char buffer[300000];

/* The result, and what came with it or the error's text. */
static void show(struct s3n_response *response, int64_t result)
{
    s3n_print_number(response, result);
    s3n_print(response, " ");
    if (result < 0)
        result = s3n_error_message(buffer, sizeof(buffer));
    if (result > (int64_t)sizeof(buffer))
        result = sizeof(buffer);
    s3n_write(response, buffer, (size_t)result);
}

static void show_number(struct s3n_response *response, int64_t result)
{
    if (result < 0)
        show(response, result);
    else
        s3n_print_number(response, result);
}

static void hexadecimal(struct s3n_response *response, const unsigned char *data, int64_t size)
{
    for (int64_t i = 0; i < size; i++) {
        char pair[3] = { "0123456789abcdef"[data[i] >> 4], "0123456789abcdef"[data[i] & 15], 0 };
        s3n_print(response, pair);
    }
}

/* `about` and two of KV in one exit. */
static void list(struct s3n_response *response, struct s3n_text body)
{
    static unsigned char memory[4096], answers[8192];
    const struct s3n_text set[] = { s3n_text_of("notes"), s3n_text_of("list"), body };
    const uint64_t forever = 0;
    struct s3n_list calls;
    struct s3n_answer answer;
    size_t at = 0;
    s3n_list_begin(&calls, memory, sizeof(memory));
    if (!s3n_list_add(&calls, 2, &forever, 1, set, 3) ||
        !s3n_list_add(&calls, 1, NULL, 0, set, 2) || !s3n_list_add(&calls, 13, NULL, 0, NULL, 0) ||
        !s3n_list_add(&calls, 999, NULL, 0, NULL, 0))
        s3n_exit(9);
    int64_t size = s3n_list_call(&calls, answers, sizeof(answers));
    if (size < 0)
        show(response, size);
    while (s3n_list_next(answers, size > 0 ? (size_t)size : 0, &at, &answer)) {
        s3n_print_number(response, answer.value);
        s3n_print(response, " ");
        s3n_write(response, answer.data.data, answer.data.size);
        s3n_print(response, "\n");
    }
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text path = request->path, body = request->body, none = { "", 0 };
    unsigned char digest[64];
    if (s3n_text_is(path, "/about"))
        show(response, s3n_about(buffer, sizeof(buffer)));
    else if (s3n_text_is(path, "/get"))
        show(response, s3n_kv_get("notes", body, buffer, sizeof(buffer)));
    else if (s3n_text_is(path, "/set"))
        show_number(response, s3n_kv_set("notes", s3n_text_of("key"), body, 0));
    else if (s3n_text_is(path, "/large"))
        show_number(response,
                    s3n_kv_set("notes", body, (struct s3n_text){ buffer, sizeof(buffer) }, 0));
    else if (s3n_text_is(path, "/other"))
        show(response, s3n_kv_get("others", body, buffer, sizeof(buffer)));
    else if (s3n_text_is(path, "/secret"))
        show(response, s3n_secret_get("API_KEY", 0, buffer, sizeof(buffer)));
    else if (s3n_text_is(path, "/sign"))
        show(response, s3n_key_sign("main", 1, body, buffer, sizeof(buffer)));
    else if (s3n_text_is(path, "/fetch"))
        show(response, s3n_http_fetch("GET", "https://a.example/", none, none, buffer, 100));
    else if (s3n_text_is(path, "/attest"))
        show(response, s3n_attest(body, buffer, sizeof(buffer)));
    else if (s3n_text_is(path, "/hash"))
        hexadecimal(response, digest, s3n_hash(1, body, digest));
    else if (s3n_text_is(path, "/log"))
        show_number(response, s3n_log_level(4, body));
    else if (s3n_text_is(path, "/list"))
        list(response, body);
    else
        return 4;
    return 0;
}
