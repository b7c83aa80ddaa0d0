/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes and recursion: a JSON text of a few megabytes is built once and parsed many times. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

enum {
    TEXT_SIZE_MAX = 4 << 20,
    ROUNDS = 300
};
static char text[TEXT_SIZE_MAX];
static uint64_t digest;
static const char *at;

static void note(uint64_t value)
{
    digest = (digest ^ value) * 1099511628211u;
}

static void skip_space(void)
{
    while (*at == ' ' || *at == '\n' || *at == '\t' || *at == '\r')
        at++;
}

static int parse_string(void)
{
    uint64_t hash = 5381;
    for (at++; *at != '"'; at++) {
        if (*at == '\0')
            return 0;
        if (*at == '\\')
            at++;
        hash = hash * 33 + (unsigned char)*at;
    }
    at++;
    note(hash);
    return 1;
}

static int parse_number(void)
{
    double value = 0, scale = 1;
    int negative = *at == '-';
    if (negative)
        at++;
    while (*at >= '0' && *at <= '9')
        value = value * 10 + (*at++ - '0');
    if (*at == '.') {
        for (at++; *at >= '0' && *at <= '9'; at++) {
            value = value * 10 + (*at - '0');
            scale *= 10;
        }
    }
    note((uint64_t)(value / scale * 1000) + (uint64_t)negative);
    return 1;
}

static int parse_value(void);

static int parse_list(char close, int has_keys)
{
    at++;
    skip_space();
    if (*at == close)
        return at++, 1;
    for (;;) {
        skip_space();
        if (has_keys) {
            if (*at != '"' || !parse_string())
                return 0;
            skip_space();
            if (*at++ != ':')
                return 0;
        }
        if (!parse_value())
            return 0;
        skip_space();
        if (*at == close)
            return at++, 1;
        if (*at++ != ',')
            return 0;
    }
}

static int parse_value(void)
{
    skip_space();
    switch (*at) {
    case '{':
        return parse_list('}', 1);
    case '[':
        return parse_list(']', 0);
    case '"':
        return parse_string();
    case 't':
        return at += 4, note(1), 1;
    case 'f':
        return at += 5, note(2), 1;
    case 'n':
        return at += 4, note(3), 1;
    default:
        return (*at == '-' || (*at >= '0' && *at <= '9')) && parse_number();
    }
}

int main(void)
{
    size_t used = 1;
    text[0] = '[';
    for (unsigned i = 0; used < TEXT_SIZE_MAX / 2; i++)
        used += (size_t)snprintf(text + used, TEXT_SIZE_MAX - used,
                                 "%s{\"id\": %u, \"name\": \"user \\\"%u\\\"\", \"score\": "
                                 "-%u.%03u, \"tags\": [true, null, \"t%u\"]}",
                                 i == 0 ? "" : ",\n ", i, i * 31, i % 977, i % 1000, i % 7);
    memcpy(text + used, "]", 2);
    int good = 1;
    for (int round = 0; round < ROUNDS; round++) {
        at = text;
        good &= parse_value();
    }
    printf("json %d %llx\n", good, (unsigned long long)digest);
    return 0;
}
