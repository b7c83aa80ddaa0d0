/* SPDX-License-Identifier: Apache-2.0 */
/* Secrets and keys through the C SDK: the path says what, the body has the arguments, apart by a
 * blank. */
#include "s3n.h"

static char buffer[200000];

/* The next word of the body, as a string of its own. */
static const char *word(struct s3n_text *body, char *target, size_t capacity)
{
    size_t size = 0;
    while (body->size > 0 && *body->data != ' ') {
        if (size + 1 < capacity)
            target[size++] = *body->data;
        body->data++;
        body->size--;
    }
    if (body->size > 0) {
        body->data++;
        body->size--;
    }
    target[size] = '\0';
    return target;
}

static uint32_t number(struct s3n_text *body)
{
    char digits[16];
    uint32_t value = 0;
    for (const char *at = word(body, digits, sizeof(digits)); *at != '\0'; at++)
        value = value * 10 + (uint32_t)(*at - '0');
    return value;
}

static void error_print(struct s3n_response *response, int64_t result)
{
    s3n_print_number(response, result);
    s3n_print(response, " ");
    result = s3n_error_message(buffer, sizeof(buffer));
    s3n_write(response, buffer, (size_t)result);
}

static void hexadecimal(struct s3n_response *response, int64_t result)
{
    if (result < 0) {
        error_print(response, result);
        return;
    }
    for (int64_t i = 0; i < result; i++) {
        unsigned char byte = (unsigned char)buffer[i];
        char pair[3] = { "0123456789abcdef"[byte >> 4], "0123456789abcdef"[byte & 15], 0 };
        s3n_print(response, pair);
    }
}

static void plain(struct s3n_response *response, int64_t result)
{
    if (result < 0)
        error_print(response, result);
    else
        s3n_write(response, buffer, (size_t)result);
}

/* The body's hexadecimal digits. */
static struct s3n_text bytes_of(struct s3n_text *body, char *target, size_t capacity)
{
    static char digits[8192];
    size_t size = 0;
    const char *at = word(body, digits, sizeof(digits));
    for (; at[0] != '\0' && at[1] != '\0' && size < capacity; at += 2) {
        unsigned byte = 0;
        for (int i = 0; i < 2; i++)
            byte = byte << 4 | (unsigned)(at[i] >= 'a' ? at[i] - 'a' + 10 : at[i] - '0');
        target[size++] = (char)byte;
    }
    return (struct s3n_text){ target, size };
}

/* What a careless function does with what is in the buffer: logs it as it is, in hexadecimal and in
 * Base64, and fails. */
static int leak(int64_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    static char encoded[4096];
    size_t at = 0;
    if (size < 0 || size > 1024)
        return 3;
    buffer[size] = buffer[size + 1] = buffer[size + 2] = '\0';
    (void)s3n_log_level(4, (struct s3n_text){ buffer, (size_t)size });
    for (int64_t i = 0; i < size; i++) {
        encoded[at++] = "0123456789abcdef"[(unsigned char)buffer[i] >> 4];
        encoded[at++] = "0123456789abcdef"[buffer[i] & 15];
    }
    encoded[at++] = ' ';
    for (int64_t i = 0; i < size; i += 3) {
        unsigned group = (unsigned)(unsigned char)buffer[i] << 16 |
                         (unsigned)(unsigned char)buffer[i + 1] << 8 | (unsigned char)buffer[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6)
            encoded[at++] = digits[group >> shift & 63];
    }
    (void)s3n_log_level(4, (struct s3n_text){ encoded, at });
    return 5;
}

static int64_t open_sealed(struct s3n_text body)
{
    static char parts[4][4096];
    char path[128];
    struct s3n_text sealed[4];
    word(&body, path, sizeof(path));
    for (int i = 0; i < 4; i++)
        sealed[i] = bytes_of(&body, parts[i], sizeof(parts[i]));
    return s3n_hpke_open(path, sealed, buffer, sizeof(buffer));
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    struct s3n_text path = request->path, body = request->body;
    char name[128];
    if (s3n_text_is(path, "/secret")) { /* NAME VERSION */
        word(&body, name, sizeof(name));
        plain(response, s3n_secret_get(name, number(&body), buffer, sizeof(buffer)));
    } else if (s3n_text_is(path, "/size")) {
        word(&body, name, sizeof(name));
        s3n_print_number(response, s3n_secret_get(name, 0, buffer, sizeof(buffer)));
    } else if (s3n_text_is(path, "/leak")) { /* NAME */
        word(&body, name, sizeof(name));
        return leak(s3n_secret_get(name, 0, buffer, sizeof(buffer) - 3));
    } else if (s3n_text_is(path, "/leak-derived")) { /* PATH SIZE */
        word(&body, name, sizeof(name));
        return leak(s3n_key_derive(name, buffer, number(&body)));
    } else if (s3n_text_is(path, "/leak-opened")) { /* as /open */
        return leak(open_sealed(body));
    } else if (s3n_text_is(path, "/public")) { /* PATH ALGORITHM */
        word(&body, name, sizeof(name));
        hexadecimal(response, s3n_key_public(name, number(&body), buffer, sizeof(buffer)));
    } else if (s3n_text_is(path, "/sign")) { /* PATH ALGORITHM MESSAGE */
        word(&body, name, sizeof(name));
        uint32_t algorithm = number(&body);
        hexadecimal(response, s3n_key_sign(name, algorithm, body, buffer, sizeof(buffer)));
    } else if (s3n_text_is(path, "/sign-digest")) { /* PATH ALGORITHM DIGEST */
        static char digest[64];
        word(&body, name, sizeof(name));
        uint32_t algorithm = number(&body);
        hexadecimal(response, s3n_key_sign(name, algorithm, bytes_of(&body, digest, sizeof(digest)),
                                           buffer, sizeof(buffer)));
    } else if (s3n_text_is(path, "/derive")) { /* PATH SIZE */
        word(&body, name, sizeof(name));
        uint32_t size = number(&body);
        hexadecimal(response, s3n_key_derive(name, buffer, size));
    } else if (s3n_text_is(path, "/open")) { /* PATH INFO ENC AAD TEXT, hexadecimal */
        plain(response, open_sealed(body));
    } else {
        return 4;
    }
    return 0;
}
