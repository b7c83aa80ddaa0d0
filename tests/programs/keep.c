/* SPDX-License-Identifier: Apache-2.0 */
/* Asks for state as its lines say, one call each, so that limits can be met exactly; the same for a
 * command (COMMAND is defined), a reactor and a native function:
 *
 *     set NAMESPACE KEY VALUE TTL      sizes of key and value, the time to live in ms
 *     cas NAMESPACE KEY VALUE EXISTS
 *     many NAMESPACE COUNT VALUE       different keys, until one is refused: how many were taken
 *     get|del NAMESPACE KEY
 *     list NAMESPACE PREFIX COUNT
 *     bad NAMESPACE NUMBER             a key that is none
 *     short NAMESPACE KEY              a value by 1000 bytes at a time
 *
 * Answers a line for each: the result, and the error's text. */
#include "s3n.h"

enum {
    VALUE_SIZE_MAX = 262145,
    KEY_SIZE_MAX = 600,
};

static char value[VALUE_SIZE_MAX + 1], keys[KEY_SIZE_MAX], buffer[VALUE_SIZE_MAX + 1];
static const struct s3n_text bad_keys[] = {
    { "\xff", 1 },     { "a\0b", 3 }, { "\xc0\x80", 2 },         { "\xed\xa0\x80", 3 },
    { "a\x1b[2J", 5 }, { "\x7f", 1 }, { "\xf4\x90\x80\x80", 4 }, { "\xe2\x82", 2 },
    { "\n", 1 },       { "k\t", 2 },
};

static void say(struct s3n_response *response, const char *text, size_t size);

/* What follows in the line, up to a blank; at its end 0. */
static struct s3n_text word_take(struct s3n_text *line)
{
    struct s3n_text word = { line->data, 0 };
    while (word.size < line->size && word.data[word.size] != ' ')
        word.size++;
    size_t skipped = word.size + (word.size < line->size);
    line->data += skipped;
    line->size -= skipped;
    return word;
}

static uint64_t number_take(struct s3n_text *line)
{
    struct s3n_text word = word_take(line);
    uint64_t number = 0;
    for (size_t i = 0; i < word.size; i++)
        number = number * 10 + (uint64_t)(word.data[i] - '0');
    return number;
}

static void say_number(struct s3n_response *response, int64_t number)
{
    char digits[24];
    size_t at = sizeof(digits);
    uint64_t left = number < 0 ? 0 - (uint64_t)number : (uint64_t)number;
    do {
        digits[--at] = (char)('0' + left % 10);
        left /= 10;
    } while (left > 0);
    if (number < 0)
        digits[--at] = '-';
    say(response, digits + at, sizeof(digits) - at);
}

static struct s3n_text key_of(uint64_t size)
{
    return (struct s3n_text){ keys, size < sizeof(keys) ? (size_t)size : sizeof(keys) };
}

static struct s3n_text value_of(uint64_t size)
{
    return (struct s3n_text){ value, size < sizeof(value) ? (size_t)size : sizeof(value) };
}

/* The namespace, with NUL. */
static const char *space_take(struct s3n_text *line)
{
    static char space[128];
    struct s3n_text word = word_take(line);
    size_t size = word.size < sizeof(space) - 1 ? word.size : sizeof(space) - 1;
    for (size_t i = 0; i < size; i++)
        space[i] = word.data[i];
    space[size] = '\0';
    return space;
}

static int64_t many(const char *space, uint64_t count, uint64_t size)
{
    char key[4] = "k00";
    for (uint64_t i = 0; i < count; i++) {
        key[1] = (char)('A' + i / 32);
        key[2] = (char)('A' + i % 32);
        if (s3n_kv_set(space, (struct s3n_text){ key, 3 }, value_of(size), 0) < 0)
            return (int64_t)i;
    }
    return (int64_t)count;
}

static int64_t by_pieces(const char *space, struct s3n_text key)
{
    int64_t whole = s3n_kv_get(space, key, buffer, 1000), got = whole < 1000 ? whole : 1000, more;
    while (got >= 0 && (more = s3n_rest((size_t)got, buffer + got, 1000)) > 0)
        got += more < 1000 ? more : 1000;
    for (int64_t i = 0; i < got; i++) {
        if (buffer[i] != 'v')
            return -100;
    }
    return got;
}

static int64_t run(struct s3n_text line)
{
    struct s3n_text verb = word_take(&line);
    const char *space = space_take(&line);
    uint64_t first = number_take(&line), second = number_take(&line), third = number_take(&line);
    struct s3n_text expected = value_of(1);
    if (s3n_text_is(verb, "set"))
        return s3n_kv_set(space, key_of(first), value_of(second), third);
    if (s3n_text_is(verb, "cas"))
        return s3n_kv_compare_and_set(space, key_of(first), third == 0 ? NULL : &expected,
                                      value_of(second), 0);
    if (s3n_text_is(verb, "many"))
        return many(space, first, second);
    if (s3n_text_is(verb, "get"))
        return s3n_kv_get(space, key_of(first), buffer, sizeof(buffer));
    if (s3n_text_is(verb, "del"))
        return s3n_kv_delete(space, key_of(first));
    if (s3n_text_is(verb, "list"))
        return s3n_kv_list(space, key_of(first), key_of(0), (uint32_t)second, buffer, 16);
    if (s3n_text_is(verb, "short"))
        return by_pieces(space, key_of(first));
    if (s3n_text_is(verb, "bad") && first < sizeof(bad_keys) / sizeof(bad_keys[0]))
        return s3n_kv_set(space, bad_keys[first], value_of(1), 0);
    return -99;
}

static void answer(struct s3n_response *response, struct s3n_text body)
{
    for (size_t i = 0; i < sizeof(value); i++)
        value[i] = 'v';
    for (size_t i = 0; i < sizeof(keys); i++)
        keys[i] = 'k';
    while (body.size > 0) {
        struct s3n_text line = { body.data, 0 };
        while (line.size < body.size && line.data[line.size] != '\n')
            line.size++;
        size_t skipped = line.size + (line.size < body.size);
        body.data += skipped;
        body.size -= skipped;
        int64_t result = run(line);
        int64_t size = s3n_error_message(buffer, 300);
        say_number(response, result);
        if (size > 0)
            say(response, " ", 1);
        if (size > 0)
            say(response, buffer, size < 300 ? (size_t)size : 300);
        say(response, "\n", 1);
    }
}

#ifdef COMMAND
#include <stdio.h>
#include <string.h>

/* Those of s3n.c that s3n_calls.c and this need; s3n.c makes a reactor. */
struct s3n_text s3n_text_of(const char *text)
{
    return (struct s3n_text){ text, strlen(text) };
}

int s3n_text_is(struct s3n_text text, const char *expected)
{
    return text.size == strlen(expected) && memcmp(text.data, expected, text.size) == 0;
}

static void say(struct s3n_response *response, const char *text, size_t size)
{
    (void)response;
    fwrite(text, 1, size, stdout);
}

int main(void)
{
    static char body[8192];
    answer(NULL, (struct s3n_text){ body, fread(body, 1, sizeof(body), stdin) });
    return 0;
}
#else
static void say(struct s3n_response *response, const char *text, size_t size)
{
    s3n_write(response, text, size);
}

int s3n_main(const struct s3n_request *request, struct s3n_response *response)
{
    answer(response, request->body);
    return 0;
}
#endif
