/* SPDX-License-Identifier: Apache-2.0 */
#include "outbound/rule.h"

#include <stdio.h>
#include <string.h>

static bool methods_parse(unsigned *methods, struct bytes text, struct error *error)
{
    for (size_t start = 0; start <= text.size;) {
        enum http_method method;
        struct bytes rest = bytes_part(text, start, SIZE_MAX);
        struct bytes name = bytes_part(rest, 0, bytes_find(rest, ','));
        if (!http_method_parse(&method, name))
            return error_set(error, ERROR_INVALID, "%s is no method of HTTP that can be asked for",
                             error_quote(name).text);
        if ((*methods & 1u << method) != 0)
            return error_set(error, ERROR_INVALID, "%s is there twice", error_quote(name).text);
        *methods |= 1u << method;
        start += name.size + 1;
    }
    return true;
}

/* The rule's URL without "*.", in `plain`. */
static bool wildcard_remove(char plain[RULE_SIZE_MAX + 1], bool *is_wildcard, struct bytes text)
{
    static const char mark[] = "://*.";
    snprintf(plain, RULE_SIZE_MAX + 1, "%.*s", (int)text.size, (const char *)text.data);
    char *at = strstr(plain, mark);
    *is_wildcard = at != NULL;
    if (at != NULL)
        memmove(at + 3, at + 5, strlen(at + 5) + 1);
    return strchr(plain, '*') == NULL;
}

bool rule_parse(struct rule *rule, struct bytes text, struct error *error)
{
    char plain[RULE_SIZE_MAX + 1];
    struct rule made = { 0 };
    size_t space = bytes_find(text, ' ');
    if (text.size < 1 || text.size > RULE_SIZE_MAX || bytes_find(text, 0) < text.size)
        return error_set(error, ERROR_INVALID, "an address has 1 to %d characters", RULE_SIZE_MAX);
    if (space == text.size)
        made.methods = 1u << HTTP_METHOD_GET | 1u << HTTP_METHOD_HEAD;
    else if (!methods_parse(&made.methods, bytes_part(text, 0, space), error))
        return false;
    struct bytes place = space == text.size ? text : bytes_part(text, space + 1, SIZE_MAX);
    if (!wildcard_remove(plain, &made.is_wildcard, place))
        return error_set(error, ERROR_INVALID, "%s: `*` stands for names below a host: *.a.example",
                         error_quote(text).text);
    if (!url_parse(&made.url, bytes_of_string(plain), error))
        return false;
    if (made.is_wildcard && (made.url.is_address || strchr(made.url.host, '.') == NULL))
        return error_set(error, ERROR_INVALID, "%s: `*.` needs a name of two labels behind it",
                         error_quote(text).text);
    if (made.url.target[made.url.path_size] != '\0')
        return error_set(error, ERROR_INVALID, "%s: a permission has no query",
                         error_quote(text).text);
    *rule = made;
    return true;
}

static bool has_host(const struct rule *rule, const struct url *url)
{
    size_t size = strlen(url->host), suffix = strlen(rule->url.host);
    if (!rule->is_wildcard)
        return rule->url.is_address == url->is_address && strcmp(rule->url.host, url->host) == 0;
    return !url->is_address && size > suffix + 1 && url->host[size - suffix - 1] == '.' &&
           strcmp(url->host + size - suffix, rule->url.host) == 0;
}

/* %2f and %5c: some servers decode them before they look for segments. */
static bool hides_separators(const struct url *url)
{
    for (size_t i = 0; i + 2 < url->path_size; i++) {
        const char *at = url->target + i;
        if (at[0] == '%' &&
            ((at[1] == '2' && (at[2] | 0x20) == 'f') || (at[1] == '5' && (at[2] | 0x20) == 'c')))
            return true;
    }
    return false;
}

static bool has_path(const struct rule *rule, const struct url *url)
{
    size_t size = rule->url.path_size;
    if (size == 1)
        return true;
    if (url->path_size < size || memcmp(rule->url.target, url->target, size) != 0 ||
        hides_separators(url))
        return false;
    return rule->url.target[size - 1] == '/' || url->path_size == size || url->target[size] == '/';
}

bool rule_has(const struct rule *rule, enum http_method method, const struct url *url)
{
    return (rule->methods & 1u << method) != 0 && rule->url.is_secure == url->is_secure &&
           rule->url.port == url->port && has_host(rule, url) && has_path(rule, url);
}

void rule_suggest(char text[RULE_TEXT_SIZE], enum http_method method, const struct url *url)
{
    char origin[URL_ORIGIN_SIZE];
    bool is_usual = method == HTTP_METHOD_GET || method == HTTP_METHOD_HEAD;
    url_origin_write(origin, url);
    snprintf(text, RULE_TEXT_SIZE, "%s%s%s", is_usual ? "" : http_method_name(method),
             is_usual ? "" : " ", origin);
}
